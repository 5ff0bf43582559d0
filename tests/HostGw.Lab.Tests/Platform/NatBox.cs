using System.Net.Sockets;
using System.Runtime.Versioning;
using HostGw.Lab.Network;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Platform.Linux;

namespace HostGw.Lab.Tests.Platform;

/// <summary>This process's own rules, of all three kinds, and the host network opened on them. Leaves the rules empty.</summary>
[SupportedOSPlatform("linux")]
internal sealed class NatBox : IDisposable
{
    private static readonly string[] Legacy = ["iptables-legacy", "ip6tables-legacy"];
    private readonly LinuxHostOptions _options = new() { RouteProtocol = 157, ProcSysNet = new("/proc/sys/net") };

    /// <param name="kind">nftables, iptables-nft, iptables-legacy, or auto.</param>
    public NatBox(string kind, Func<LinuxHostOptions, LinuxHostOptions>? change = null)
    {
        _options = Options(kind);
        Host = new(change is null ? _options : change(_options));
    }

    public LinuxHost Host { get; private set; }

    /// <summary>The same host under another setting, as after a restart.</summary>
    public void Restart(string kind)
    {
        Host.Dispose();
        Host = new(Options(kind));
    }

    /// <summary>A pass whose plan has this rule; what it did.</summary>
    public string Reach(NatPlan? plan, bool reread = true)
    {
        ApplyResult result = Try(plan, reread);
        Assert.Empty(result.Failures.Select(f => f.Error.ToString()));
        return result.NatChange;
    }

    public ApplyResult Try(NatPlan? plan, bool reread = true)
    {
        HostChanges changes = new() { Routes = new(), ChangesNat = true, Nat = plan, Plan = new() { OwnPodCidrs = plan?.Sources ?? [] } };
        return Host.Apply(changes with { ReadsRulesAgain = reread }, ApplyMode.Change);
    }

    public IReadOnlyList<Leftover> Leftovers(Plan plan) =>
        Host.Apply(new() { Routes = new(), Plan = plan, FindsLeftovers = true }, ApplyMode.Preview).Leftovers!;

    public static string Run(string command) => Command.Run("sh", "-c", command);

    /// <summary>All rules of this kind and family, without counters and times.</summary>
    public static string Save(string kind, bool ipv4) => kind == "nftables" ? Run("nft list ruleset")
        : Run($"{(ipv4 ? "" : "ip6")}{(ipv4 ? kind : kind[2..])}-save | grep -v ^# | sed 's/ \\[.*//'");

    public void Dispose()
    {
        Host.Dispose();
        Run("nft flush ruleset");
        foreach (string program in Legacy)
        {
            string names = $"/proc/thread-self/net/{program.Split('-')[0].Replace("tables", "_tables", StringComparison.Ordinal)}_names";
            Run($"for t in $(cat {names} 2>/dev/null); do {program} -w -t $t -F; {program} -w -t $t -X; done; " +
                $"! grep -q filter {names} || {program} -w -P FORWARD ACCEPT");
        }
    }

    public LinuxHostOptions Options(string kind) => _options with
    {
        NatBackend = kind switch
        {
            "nftables" => NatBackend.Nftables,
            "auto" => NatBackend.Auto,
            "none" => NatBackend.None,
            _ => NatBackend.Iptables,
        },
        NatIptables = kind switch { "iptables-nft" => NatIptables.Nft, "iptables-legacy" => NatIptables.Legacy, _ => NatIptables.Auto },
    };
}
