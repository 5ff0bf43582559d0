using System.Collections.Immutable;
using HostGw.Planning;
using Microsoft.Extensions.Logging;

namespace HostGw.Settings;

/// <summary>All settings, checked. Those that planning depends on are in <see cref="Policy"/>, the others here.</summary>
/// <remarks>Every value that the program uses, defaults included, comes from a row of <see cref="SettingsTable"/>.</remarks>
internal sealed record AgentSettings
{
    public required Policy Policy { get; init; }

    public string NodeName => Policy.NodeName;

    /// <summary>Null: the pod's service account.</summary>
    public string? Kubeconfig { get; init; }

    /// <summary>Replaces the server that the kubeconfig or the pod's environment names.</summary>
    public Uri? ApiServer { get; init; }

    /// <summary>Follow the node digest instead of all Nodes.</summary>
    public bool UsesDigest { get; init; }

    /// <summary>Label keys that the digest carries in addition to those of nodeSelector.</summary>
    public ImmutableArray<string> DigestLabels { get; init; } = [];

    /// <summary>Where the digest serves health, status and metrics.</summary>
    public IPEndPoint DigestListen { get; init; } = new(IPAddress.Loopback, 0);

    public AdoptMode Adopt { get; init; }

    /// <summary>The rtm_protocol that marks HostGw's routes.</summary>
    public byte RouteProtocol { get; init; }

    /// <summary>From a pass to the next when nothing happens, and the longest delay of a retry.</summary>
    public int ResyncSeconds { get; init; }

    /// <summary>From a probe of a peer to the next.</summary>
    public int ProbeSeconds { get; init; }

    /// <summary>Platform takes this one; Planning sees only whether it is None: then <see cref="NatPolicy.Enabled"/> is false.</summary>
    public NatBackend NatBackend { get; init; }

    public NatIptables NatIptables { get; init; }

    /// <summary>HostGw's CNI configuration takes precedence over those of other plugins.</summary>
    public bool CniTakeOver { get; init; }

    /// <summary>Where container runtimes look for CNI configurations.</summary>
    public string CniConfigDirectory { get; init; } = "";

    /// <summary>Where container runtimes look for CNI plugins.</summary>
    public string CniBinDirectory { get; init; } = "";

    /// <summary>Clear this Node's condition NetworkUnavailable.</summary>
    public bool ClearNetworkUnavailable { get; init; }

    /// <summary>Report problems as Events of this Node.</summary>
    public bool WritesEvents { get; init; }

    public required IPEndPoint Listen { get; init; }

    /// <summary>Where /proc/sys/net is mounted.</summary>
    public required string ProcSysNet { get; init; }

    /// <summary>Where saved nodes and, on Windows, the record of HostGw's routes are kept; null: nothing is saved.</summary>
    public string? StateDirectory { get; init; }

    public static readonly string DefaultStateDirectory = HostGw.StateDirectory.Default;

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
