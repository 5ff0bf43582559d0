using System.Runtime.Versioning;
using HostGw.Lab.Agents;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>Peers come and go while the masquerade rule is one of iptables, and no clusterCidrs exempts all of them at once.</summary>
[SupportedOSPlatform("linux")]
public sealed class NatMembershipTests : LabTest
{
    // Programs in the agent's own /usr/local/sbin, which record the input of iptables-restore, whether the route is installed at
    // that moment, and the end.
    private const string Record = """
        mkdir $0/sbin
        for p in iptables-nft-restore iptables-legacy-restore; do
          cat > $0/sbin/$p <<E
        #!/bin/sh
        ( echo BEGIN; ip -4 route show exact 192.168.3.0/24 | sed 's/^/ROUTE /'; tee /dev/fd/3 ) 3>&1 >>$0/record | /usr/sbin/$p "\$@"
        code=\$?
        echo END >>$0/record
        exit \$code
        E
          chmod 755 $0/sbin/$p
        done
        exec unshare --mount sh -c 'mount --bind $0/sbin /usr/local/sbin; exec "$@"' sh "$@"
        """;

    private AgentWrapper? _wrapper;

    private protected override ClusterSettings Settings => Clusters.ByNodeAddress(2);

    private Node One => Cluster.Node(1);

    private Agent Agent => Cluster.Agent(One);

    [Theory]
    [InlineData("nft")]
    [InlineData("legacy")]
    public async Task A_route_waits_for_no_program_and_a_peer_that_leaves_is_exempt_until_its_route_is_gone(string flavour)
    {
        _wrapper = new(Record);
        Agent.Settings = Agent.Settings with { ClusterCidrs = [], More = ["--nat-backend", "iptables", "--nat-iptables", flavour] };
        await StartFirstAgentAsync();

        Node three = Cluster.AddMachine(3);
        Cluster.Announce(three);
        await Expect.RoutesAsync(One, Cluster.Nodes.Skip(1).SelectMany(Expect.ByNodeAddress));
        string joined = await RestoreAsync(r => Exempts(r, three));
        Assert.Contains("ROUTE", joined, StringComparison.Ordinal);
        Assert.Contains("-d 192.168.3.0/24 -j RETURN", Saved(flavour), StringComparison.Ordinal);
        File.Delete(_wrapper.PathOf("record"));

        Cluster.Api.Server.Nodes.Delete(three.Name);
        string left = await RestoreAsync(r => !Exempts(r, three));
        Assert.DoesNotContain("ROUTE", left, StringComparison.Ordinal);
        Assert.Contains(":HOSTGW-POSTROUTING", left, StringComparison.Ordinal);
        Assert.DoesNotContain(Restores(), r => Exempts(r, three));
        await Expect.RoutesAsync(One, Expect.ByNodeAddress(Cluster.Node(2)));
        Assert.DoesNotContain("192.168.3.0/24", Saved(flavour), StringComparison.Ordinal);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _wrapper?.Dispose();
    }

    private static bool Exempts(string restore, Node node) =>
        restore.Contains($"-d {node.PodCidrs[0]} -j RETURN", StringComparison.Ordinal);

    /// <summary>The first call of iptables-restore of this kind, once it has ended.</summary>
    private async Task<string> RestoreAsync(Predicate<string> kind)
    {
        await Eventually.TrueAsync(
            () => Restores().Exists(kind), () => $"{string.Join("\n", Restores())}\n{string.Join('\n', Agent.Log.LastWords(20))}");
        return Restores().Find(kind)!;
    }

    private List<string> Restores()
    {
        string record = _wrapper!.PathOf("record");
        string[] calls = File.Exists(record) ? File.ReadAllText(record).Split("BEGIN\n", StringSplitOptions.RemoveEmptyEntries) : [];
        return [.. calls.Where(c => c.EndsWith("END\n", StringComparison.Ordinal))];
    }

    private string Saved(string flavour) => One.Network.Exec($"iptables-{flavour}-save");
}
