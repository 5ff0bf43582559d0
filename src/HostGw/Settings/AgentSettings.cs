using HostGw.Planning;
using Microsoft.Extensions.Logging;

namespace HostGw.Settings;

/// <summary>What the operator wants, checked. Every value comes from a row of <see cref="SettingsTable"/>, its default too.</summary>
internal sealed record AgentSettings
{
    public required Policy Policy { get; init; }

    public string NodeName => Policy.NodeName;

    /// <summary>Null: the service account of the pod we run in.</summary>
    public string? Kubeconfig { get; init; }

    /// <summary>Takes the place of the server in the kubeconfig or the pod's environment.</summary>
    public Uri? ApiServer { get; init; }

    public AdoptMode Adopt { get; init; }

    /// <summary>The rtm_protocol that marks a route as ours.</summary>
    public byte RouteProtocol { get; init; }

    public int ResyncSeconds { get; init; }

    /// <summary>With None, <see cref="NatPolicy.Enabled"/> is off.</summary>
    public NatBackend NatBackend { get; init; }

    public NatIptables NatIptables { get; init; }

    /// <summary>Our CNI configuration comes before those of other plugins.</summary>
    public bool CniTakeOver { get; init; }

    /// <summary>Where container runtimes look for CNI configurations.</summary>
    public string CniConfigDirectory { get; init; } = "";

    /// <summary>Where the CNI plugins are.</summary>
    public string CniBinDirectory { get; init; } = "";

    /// <summary>Clear the condition of this node in the API.</summary>
    public bool ClearNetworkUnavailable { get; init; }

    /// <summary>Tell problems by Events of this node in the API.</summary>
    public bool WritesEvents { get; init; }

    public required IPEndPoint Listen { get; init; }

    /// <summary>Where /proc/sys/net is mounted.</summary>
    public required string ProcSysNet { get; init; }

    /// <summary>Where what must outlast the agent is kept; null: nothing is.</summary>
    public string? StateDirectory { get; init; }

    public static readonly string UsualStateDirectory = OperatingSystem.IsWindows()
        ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.CommonApplicationData), "hostgw")
        : "/var/lib/hostgw";

    public string WindowsNetwork { get; init; } = "";

    public bool WindowsCreateNetwork { get; init; }

    public bool WindowsCorrectOutBoundNat { get; init; }

    public LogLevel LogLevel { get; init; }

    public LogFormat LogFormat { get; init; }
}

internal enum LogFormat
{
    /// <summary>Text on a terminal, JSON elsewhere.</summary>
    Auto,
    Text,
    Json,
}
