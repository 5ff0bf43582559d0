using System.Runtime.Versioning;
using HostGw.Nodes;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Platform.Windows;
using HostGw.Problems;
using HostGw.Reconciliation;
using HostGw.Tests.Kubernetes;
using HostGw.Tests.Planning;
using HostGw.Tests.Reconciliation;

namespace HostGw.Tests.Platform.Windows;

/// <summary>A reconciler on the Windows backend, on a host of the stand-in.</summary>
[SupportedOSPlatform("windows")]
internal sealed class WindowsAgent : IDisposable
{
    public const string Uplink = "0006008001000000";
    public const string PodEndpoint = "0006008002000000";

    /// <summary>A node with the pods' bridge, as start-kubelet.ps1 or flannel leaves it.</summary>
    public static readonly string[] Node =
    [
        "reset",
        "interface 0018000001000000 1 up 75 - Loopback Pseudo-Interface 1",
        "address 0018000001000000 127.0.0.1/8",
        $"interface {Uplink} 7 up 25 - vEthernet (Ethernet)",
        $"address {Uplink} 10.0.0.1/24",
        $"address {Uplink} fd00:aaaa::1/64",
        $"route 0.0.0.0/0 10.0.0.254 {Uplink} 0 3",
        $"interface {PodEndpoint} 12 up 15 - vEthernet (cbr0)",
        $"address {PodEndpoint} 10.244.1.2/24",
    ];

    private readonly TemporaryFolder _folder = new();
    private readonly Policy _policy;
    private WindowsHost _host;
    private Reconciler _reconciler;

    public WindowsAgent(string policy = "", params IEnumerable<string> host)
        : this(p => p, host, policy)
    {
    }

    /// <param name="change">For a setting with a space, which no text of a policy can have.</param>
    public WindowsAgent(Func<Policy, Policy> change, IEnumerable<string> host, string policy = "")
    {
        _policy = change(Given.Policy(policy));
        Directory.CreateDirectory(_folder["bin"]);
        foreach (string plugin in (string[])["win-bridge.exe", "host-local.exe"])
            File.WriteAllText(_folder[$"bin/{plugin}"], "");
        StandIn.Do(Node);
        StandIn.Do(host);
        (_host, _reconciler) = Start();
    }

    public const string Self = "self 10.244.1.0/24 10.0.0.1 windows";

    public string[] Nodes { get; set; } = [Self, "linux 10.244.2.0/24 10.0.0.2", "other 10.244.3.0/24 10.0.0.3 windows"];

    public AdoptMode Adopt { get; set; }

    /// <summary>Takes effect at the next start.</summary>
    public bool CreateNetwork { get; set; }

    /// <inheritdoc cref="CreateNetwork"/>
    public bool CorrectOutBoundNat { get; set; }

    public Ip ApiServer { get; set; }

    public string CniFile => _folder["net.d/10-hostgw.conflist"];

    public string BinFolder => _folder["bin"];

    public string StateFile => _folder["state/routes.state"];

    public WindowsHost Host => _host;

    /// <summary>"DESTINATION NEXTHOP INTERFACE METRIC", those of protocol NetMgmt alone, sorted.</summary>
    public static IEnumerable<string> Routes => StandIn.Ask("routes").Split('\n').Select(r => r.Split(' ')).Where(w => w is [.., "3"])
        .Select(w => $"{w[0]} {w[1]} {w[2] switch { Uplink => "uplink", PodEndpoint => "cbr0", var luid => luid }} {w[3]}").Order(StringComparer.Ordinal);

    /// <summary>Those to pods.</summary>
    public static IEnumerable<string> PodRoutes => Routes.Where(r => !r.StartsWith("0.0.0.0/0", StringComparison.Ordinal));

    public static int Writes => int.Parse(StandIn.Ask("writes"), System.Globalization.CultureInfo.InvariantCulture);

    public PassReport Pass(WakeCauses causes = WakeCauses.Nodes) => _reconciler.Run(new(Given.Nodes(Nodes), "42", IsComplete: true), ApiServer.IsNone ? [] : [ApiServer], causes);

    /// <summary>The alias of an interface, by its index.</summary>
    public string NameOf(int index) => _host.Read([]).Interface(index)?.Name ?? $"{index}";

    /// <summary>What `hostgw doctor` finds.</summary>
    public IReadOnlyList<Problem> Examine(PassReport report) => Doctor.Examine(new()
    {
        Policy = _policy,
        Nodes = Given.Nodes(Nodes),
        Host = _host.Read([]),
        Plan = report.Plan,
        Routes = report.Routes,
    });

    public ApplyResult Preview(HostChanges changes) => _host.Apply(changes, ApplyMode.Preview);

    /// <summary>The agent ends and starts again, knowing what its record says.</summary>
    public void Restart()
    {
        _host.Dispose();
        (_host, _reconciler) = Start();
    }

    public void Dispose()
    {
        _host.Dispose();
        _folder.Dispose();
    }

    private (WindowsHost Host, Reconciler Reconciler) Start()
    {
        WindowsHost host = new(new()
        {
            StateDirectory = _folder["state"],
            Network = "cbr0",
            CreateNetwork = CreateNetwork,
            CorrectOutBoundNat = CorrectOutBoundNat,
            Cni = new() { ConfigDirectory = _folder["net.d"], BinDirectory = _folder["bin"] },
        });
        return (host, new(host, _policy, Adopt, new ManualTime()));
    }
}
