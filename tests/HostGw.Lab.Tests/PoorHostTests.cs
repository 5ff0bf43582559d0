using System.Runtime.Versioning;
using System.Text.Json;
using HostGw.Lab.Agents;
using HostGw.Lab.Network;
using HostGw.Lab.Probes;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>The real agent of node 1 on hosts that lack something: it says what and the cure, and does the rest.</summary>
[SupportedOSPlatform("linux")]
public sealed class PoorHostTests : LabTest
{
    private const string NoNfTables = "exec $LAB without-nf-tables -- \"$@\"";
    private const string NoPrograms = "exec unshare --mount sh -c 'mount -t tmpfs none /usr/sbin; exec \"$@\"' sh \"$@\"";
    private const string Neither = "exec unshare --mount sh -c 'mount -t tmpfs none /usr/sbin; exec $LAB without-nf-tables -- \"$@\"' sh \"$@\"";
    private const string ReadOnlySysctls = "exec unshare --mount sh -c 'mount --bind /proc/sys /proc/sys; mount -o remount,ro,bind /proc/sys; exec \"$@\"' sh \"$@\"";

    private AgentWrapper? _wrapper;

    private protected override ClusterSettings Settings => Clusters.ByNodeAddress(2);

    private Node One => Cluster.Node(1);

    private Agent Agent => Cluster.Agent(One);

    [Fact]
    public async Task Without_nf_tables_auto_chooses_iptables_legacy_says_why_and_pods_are_masqueraded()
    {
        Begin("auto", NoNfTables);
        await Agent.StartAndWaitAsync();

        JsonElement nat = (await Agent.StatusAsync()).GetProperty("nat");
        Assert.Equal(("iptables-legacy", "the kernel has no nf_tables", "applied"), (Text(nat, "backend"), Text(nat, "why"), Text(nat, "state")));
        Assert.Contains(Agent.Log.Lines, l => l.Contains("Masquerade rule by iptables-legacy: the kernel has no nf_tables", StringComparison.Ordinal));
        foreach (int family in (int[])[0, 1])
        {
            Assert.Equal(One.Addresses[family], SourceEcho.Ask(One.Pods[0].Network, Addressing.Outside[family], Expect.Patience));
            Assert.Equal(One.Pods[0].Addresses[family], Seen(family));
        }
        Assert.Equal("", One.Network.Exec("nft", "list", "ruleset"));
    }

    [Theory]
    [InlineData("nftables", NoNfTables, "the kernel lacks nf_tables NAT: it needs CONFIG_NF_TABLES, CONFIG_NFT_NAT, CONFIG_NFT_MASQ and CONFIG_NFT_FIB_INET (modules nf_tables, nft_chain_nat, nft_masq, nft_fib_inet); or set nat.backend: iptables, or none")]
    [InlineData("iptables", NoPrograms, "find the program iptables-nft-save: install iptables")]
    [InlineData("auto", Neither, "find the program iptables-legacy-save: install iptables")]
    public async Task Without_the_means_for_the_rule_the_error_names_the_cure_and_the_rest_goes_on(string backend, string script, string complaint)
    {
        Begin(backend, script);
        Agent.Start();

        await ComplainsAsync(complaint);
        Assert.Equal("failed", Text((await Agent.StatusAsync()).GetProperty("nat"), "state"));
        await Expect.RoutesAsync(One, Expect.ByNodeAddress(Cluster.Node(2)));
        Assert.Equal("1", One.Network.Sysctl("ipv4/ip_forward"));
        Assert.False(await Agent.IsReadyAsync());
    }

    [Fact]
    public async Task With_a_read_only_proc_sys_the_error_names_the_cure_and_the_rest_goes_on()
    {
        Begin("auto", ReadOnlySysctls);
        Agent.Start();

        await ComplainsAsync("Read-only file system");
        string[] complaints = await ComplaintsAsync();
        Assert.Contains(complaints, c => c.StartsWith("turn IPv4 forwarding on: write 1 to /proc/sys/net/ipv4/ip_forward: ", StringComparison.Ordinal));
        Assert.Contains(complaints, c => c.StartsWith("turn IPv6 forwarding on: ", StringComparison.Ordinal));
        Assert.All(complaints, c => Assert.EndsWith("; mount the host's /proc/sys/net writable and set procSysNet, or set it on the host", c, StringComparison.Ordinal));
        await Expect.RoutesAsync(One, Expect.ByNodeAddress(Cluster.Node(2)));
        Assert.Contains("masquerade", One.Network.Exec("nft", "list", "ruleset"), StringComparison.Ordinal);

        One.Network.Sysctl("ipv4/ip_forward", "1");
        // What the agent could not write before it turned IPv6 forwarding on; each is named once the one before it is right.
        One.Network.Sysctl("ipv6/conf/cni0/accept_ra", "0");
        One.Network.Sysctl("ipv6/conf/eth0/accept_ra", "2");
        One.Network.Sysctl("ipv6/conf/all/forwarding", "1");
        await Agent.WaitReadyAsync();
    }

    [Fact]
    public async Task A_moment_without_file_descriptors_does_not_close_the_status_endpoint()
    {
        await Agent.StartAndWaitAsync();
        Command.Run("prlimit", $"--pid={Agent.ProcessId}", "--nofile=1:");
        Assert.Equal("nothing", One.Network.Exec("sh", "-c", "curl --silent --max-time 1 http://127.0.0.1:9157/healthz || echo nothing").Trim());

        Command.Run("prlimit", $"--pid={Agent.ProcessId}", "--nofile=1024:");
        await Eventually.TrueAsync(Agent.IsAnsweringAsync, () => "it does not answer again");
        Assert.DoesNotContain(Agent.Log.Lines, l => l.Contains("No status endpoint", StringComparison.Ordinal));
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _wrapper?.Dispose();
    }

    private void Begin(string backend, string script)
    {
        _wrapper = new(script.Replace("$LAB", Path.Combine(AppContext.BaseDirectory, "hostgw-lab"), StringComparison.Ordinal));
        Agent.Settings = Agent.Settings with { More = ["--nat-backend", backend] };
    }

    // What a pod of node 2 would see: forwarding is on, and its node has a route back.
    private IPAddress? Seen(int family)
    {
        Node two = Cluster.Node(2);
        two.Network.Configure([$"route replace {One.PodCidrs[family]} via {One.Addresses[family]}"]);
        two.Network.Sysctl(family == 0 ? "ipv4/ip_forward" : "ipv6/conf/all/forwarding", "1");
        return SourceEcho.Ask(One.Pods[0].Network, two.Pods[0].Addresses[family], Expect.Patience);
    }

    private Task<TimeSpan> ComplainsAsync(string text) => Eventually.TrueAsync(
        async () => (await ComplaintsAsync()).Any(c => c.Contains(text, StringComparison.Ordinal)), () => string.Join('\n', Agent.Log.LastWords(30)));

    private async Task<string[]> ComplaintsAsync()
    {
        try
        {
            return [.. (await Agent.StatusAsync()).GetProperty("notReady").EnumerateArray().Select(e => e.GetString()!)];
        }
        catch (HttpRequestException)
        {
            return [];
        }
    }

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;
}
