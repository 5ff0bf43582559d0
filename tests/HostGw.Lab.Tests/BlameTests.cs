using System.Text.Json;
using HostGw.FakeApi;
using HostGw.Lab.Agents;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>A message names the object that must be changed and nothing innocent, and its command works.</summary>
public sealed class BlameTests : LabTest
{
    private protected override ClusterSettings Settings => Clusters.ByNodeAddress(3);

    private Node One => Cluster.Node(1);

    private Agent Agent => Cluster.Agent(One);

    [Fact]
    public async Task Of_Nodes_the_wrong_annotation_and_the_two_with_one_address_are_named()
    {
        using Kubectl kubectl = new(Cluster.Api.Server, network: One.Name);
        Put("hop", 50, "10.0.0.50", ("hostgw.io/next-hop", "nonsense"));
        Put("skip", 51, "10.0.0.51", ("hostgw.io/skip", "yes"));
        Put("twin-a", 52, "10.0.0.12");
        Put("router", 53, "10.0.0.1");
        await StartFirstAsync();
        // The MAC addresses are known: they must not be taken for those of a router in between.
        One.Network.Exec("ping", "-q", "-c", "1", "10.0.0.12");
        One.Network.Exec("ping", "-q", "-c", "1", "10.0.0.1");

        Assert.Equal(["nextHop", "nextHop", "nextHop", "nextHop", "noAddress"], Agent.Diagnose().Order(StringComparer.Ordinal));
        Assert.Contains("node node2 lists its address 10.0.0.12, too", Of("twin-a").Problem, StringComparison.Ordinal);
        Assert.Contains("node twin-a lists its address 10.0.0.12, too", Of("node2").Problem, StringComparison.Ordinal);
        Assert.Contains("10.0.0.1 is also a gateway of this host", Of("router").Problem, StringComparison.Ordinal);
        await CureAsync(kubectl, Of("hop").Cure, "hostgw.io/next-hop-");
        await CureAsync(kubectl, Of("skip").Cure, "hostgw.io/skip-");
        Put("twin-a", 52, "10.0.0.62");

        await Eventually.TrueAsync(() => Agent.Diagnose() is ["nextHop"], () => string.Join(", ", Agent.Findings()));
        await Expect.OnlyRouteAsync(One, "192.168.50.0/24 via 10.0.0.50 dev eth0 proto 157 onlink");
        Assert.True(await Agent.IsReadyAsync());
    }

    [Fact]
    public async Task A_foreign_route_before_HostGws_is_removed_by_the_command_and_not_by_a_setting_that_would_leave_it()
    {
        await StartFirstAsync();
        One.Network.Configure(["route prepend 192.168.2.0/24 via 10.0.0.13 dev eth0 proto 12"]);
        await Eventually.TrueAsync(() => Agent.Diagnose() is ["conflict"], () => string.Join(", ", Agent.Findings()));
        string told = $"{(await Agent.StatusAsync()).GetProperty("problems")}{Agent.Findings()[0]}";
        Assert.DoesNotContain("adopt", told, StringComparison.Ordinal);

        One.Network.Exec("sh", "-c", AfterThen(Agent.Findings()[0]));
        await Expect.OnlyRouteAsync(One, Expect.ByNodeAddress(Cluster.Node(2))[0]);
        Assert.Empty(Agent.Diagnose());
    }

    [Fact]
    public async Task The_command_for_an_interface_with_a_dot_in_its_name_works()
    {
        await StartFirstAsync();
        One.Network.Configure([
            "link add eth1.100 type veth peer name eth1p", "link set eth1p up",
            "address add 10.0.0.99/24 dev eth1.100", "link set eth1.100 up",
            "route delete 10.0.0.0/24 dev eth1.100",
        ]);
        One.Network.Sysctl("ipv4/conf/eth1.100/rp_filter", "1");
        JsonElement finding = Assert.Single(Agent.Findings());
        Assert.Equal("rpFilter", finding.GetProperty("rule").GetString());

        string cure = finding.GetProperty("cure").GetString()!;
        One.Network.Exec("sh", "-c", cure[..cure.IndexOf(" (", StringComparison.Ordinal)]);

        Assert.Empty(Agent.Diagnose());
    }

    [Fact]
    public async Task A_corrected_route_is_logged_with_what_differed()
    {
        await StartFirstAsync();
        One.Network.Configure(["route replace 192.168.2.0/24 via 10.0.0.12 dev cni0 onlink proto 157"]);
        await Expect.OnlyRouteAsync(One, Expect.ByNodeAddress(Cluster.Node(2))[0]);
        const string Line = "Corrected route 192.168.2.0/24: was via 10.0.0.12, is via 10.0.0.12 (it had dev cni0)";
        await Eventually.TrueAsync(
            () => Agent.Log.Lines.Any(l => l.EndsWith(Line, StringComparison.Ordinal)),
            () => string.Join('\n', Agent.Log.LastWords(5)));
    }

    private async Task StartFirstAsync()
    {
        await Agent.StartAndWaitAsync();
        await Expect.RouteAsync(One, Expect.ByNodeAddress(Cluster.Node(3))[0]);
    }

    private void Put(string name, int subnet, string address, params (string Key, string Value)[] annotations) =>
        Cluster.Api.Server.Nodes.Put(new NodeSpec(name)
        {
            PodCidrs = [$"192.168.{subnet}.0/24"],
            InternalIPs = [address],
            Annotations = annotations.ToDictionary(a => a.Key, a => a.Value),
        });

    private (string Problem, string Cure) Of(string node) => Agent.Findings()
        .Select(f => (f.GetProperty("problem").GetString()!, f.GetProperty("cure").GetString()!))
        .First(f => f.Item1.StartsWith($"node {node} 192.168.", StringComparison.Ordinal));

    // Of what is in brackets, the command that ends so.
    private static async Task CureAsync(Kubectl kubectl, string cure, string end)
    {
        int stop = cure.LastIndexOf(end, StringComparison.Ordinal) + end.Length;
        string command = cure[..stop];
        await kubectl.RunAsync(command[(command.LastIndexOf("(kubectl ", StringComparison.Ordinal) + "(kubectl ".Length)..]);
    }

    private static string AfterThen(JsonElement finding)
    {
        string cure = finding.GetProperty("cure").GetString()!;
        return cure[(cure.IndexOf("then: ", StringComparison.Ordinal) + "then: ".Length)..];
    }
}
