using System.Runtime.Versioning;
using HostGw.Lab.Network;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Platform.Linux;

namespace HostGw.Lab.Tests.Platform;

/// <summary>A network namespace of its own with one pair of interfaces, eth0 and peer0, and the host network opened in it.</summary>
[SupportedOSPlatform("linux")]
internal sealed class LinuxNamespace : IDisposable
{
    public const byte Protocol = 157;
    private static int _count;
    private Plan _plan = new();

    /// <param name="bare">Without interfaces, addresses and routes of its own.</param>
    public LinuxNamespace(string procSysNet = "/proc/sys/net", string resolvConf = "/nonexistent", bool bare = false)
    {
        Network = new($"kernel{Interlocked.Increment(ref _count)}");
        if (bare)
            Command.Run("ip", "netns", "add", Network.Name);
        else
            Connect();
        Options = new() { RouteProtocol = Protocol, ProcSysNet = new(procSysNet), ResolvConf = resolvConf };
        Host = Network.Run(() => new LinuxHost(Options));
        Eth0 = bare ? 0 : Index("eth0");
    }

    public NetworkNamespace Network { get; }

    public LinuxHostOptions Options { get; }

    public LinuxHost Host { get; }

    public int Eth0 { get; }

    /// <summary>/proc/sys/net is that of the thread's namespace.</summary>
    public HostState Read() => Network.Run(() => Host.Read([]));

    public IEnumerable<HostRoute> Ours() => Read().Routes.Where(r => r.IsOurs);

    public IReadOnlyList<HostFailure> Apply(Action<RouteChanges.Builder> change)
    {
        RouteChanges.Builder changes = new();
        change(changes);
        return Apply(new HostChanges { Routes = changes.Build() });
    }

    public IReadOnlyList<HostFailure> Apply(HostChanges changes) =>
        Network.Run(() => Host.Apply(changes with { Plan = _plan }, ApplyMode.Change).Failures);

    /// <summary>The plan of the passes from now on.</summary>
    public void Expect(Plan plan)
    {
        _plan = plan;
        Apply(new HostChanges { Routes = RouteChanges.None });
    }

    public PodRoute Route(string destination, string nextHop = "") => new(
        Prefix.Parse(destination), destination.Contains(':', StringComparison.Ordinal) ? 1024u : 0u,
        nextHop.Length > 0 ? HostGw.Net.Ip.Parse(nextHop) : default, Eth0);

    public int Index(string link) => Read().Interfaces.Single(i => i.Name == link).Index;

    /// <summary>One command of the real ip; its output.</summary>
    public string Shell(string command) => Command.Run("ip", ["-n", Network.Name, .. command.Split(' ')]);

    /// <summary>As the real ip shows the routes to exactly this destination, without what it pads with.</summary>
    public string Show(string destination, bool ipv6 = false) =>
        string.Join(" | ", Shell(
            $"{(ipv6 || destination.Contains(':', StringComparison.Ordinal) ? "-6" : "-4")} route show exact {destination}")
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries))));

    public void Dispose()
    {
        Host.Dispose();
        NetworkNamespace.Delete([Network.Name]);
    }

    private void Connect()
    {
        NetworkNamespace.Create([Network.Name]);
        Network.Configure(
        [
            "link add eth0 type veth peer name peer0", "link set eth0 up", "link set peer0 up",
            "addr add 192.0.2.1/24 dev eth0", "addr add 2001:db8::1/64 dev eth0 nodad",
        ]);
        // With their routes, which the kernel announces: it makes them when it comes to see the carrier.
        Assert.True(SpinWait.SpinUntil(() => LinkLocals() == 2, Lab.Tests.Expect.Patience));
    }

    // Not tentative any more. Of the fields of a line the last two numbers are scope (20: link) and flags (80: permanent).
    private int LinkLocals() => Network.Run(
        () => File.ReadLines("/proc/thread-self/net/if_inet6").Count(line => line.Contains(" 20 80 ", StringComparison.Ordinal)));
}

/// <summary>Routes by the thousand, sorted by key.</summary>
[SupportedOSPlatform("linux")]
internal static class LinuxRoutesMany
{
    /// <summary>10.64.0.0/28 and following, each with a next hop of its own.</summary>
    public static IEnumerable<PodRoute> Of(LinuxNamespace host, int count) =>
        Enumerable.Range(0, count).Select(i => new PodRoute(
            new(Net.Ip.V4(0x0A400000u + ((uint)i << 4)), 28), 0, Net.Ip.V4(0xAC100001u + (uint)i), host.Eth0));

    /// <summary>fd00:0:0:0::/64 and following, each with a next hop of its own.</summary>
    public static IEnumerable<PodRoute> OfIPv6(LinuxNamespace host, int count) =>
        Enumerable.Range(0, count).Select(i => new PodRoute(
            new(Net.Ip.V6(new UInt128(0xFD00_0000_0000_0000UL + (uint)i, 0)), 64), 1024,
            Net.Ip.V6(new UInt128(0x2001_0DB8_0000_0000UL, 0x100UL + (uint)i)), host.Eth0));
}
