using HostGw.Lab.Agents;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>The real agent of node 1 as a pod, which reaches the API server by the Service's address as long as kube-proxy works.</summary>
public sealed class ServiceAddressTests : LabTest
{
    private const string Service = "10.96.0.1:443", Server = "10.0.0.2:6443";
    private const string Pod = $"{Box.Directory}/pod";

    private protected override ClusterSettings Settings => Clusters.ByNodeAddress(2);

    private Node One => Cluster.Node(1);

    private Agent Agent => Cluster.Agent(One);

    [Fact]
    public async Task When_the_Services_address_dies_the_agent_goes_on_by_the_servers_own_and_returns_with_the_next_watch()
    {
        await StartAsPodAsync();
        Assert.Contains(Service, Connections(), StringComparison.Ordinal);
        await Eventually.TrueAsync(
            () => Cluster.Api.Server.Requests.Any(r => r.Path.EndsWith("/kubernetes", StringComparison.Ordinal) && r.Code == 200),
            () => "the slice is not read");

        KillService();
        Cluster.Api.Server.CutConnections();
        await JoinAsync(3);
        Assert.Contains(Server, Connections(), StringComparison.Ordinal);

        ReviveService();
        // A younger connection carries the next watch, too; watches last 8 to 12 minutes.
        await Task.Delay(TimeSpan.FromSeconds(31), TestContext.Current.CancellationToken);
        Cluster.Api.Server.EndWatches();
        await Eventually.TrueAsync(() => Connections().Contains(Service, StringComparison.Ordinal), Connections);
        await JoinAsync(4);
    }

    [Fact]
    public async Task A_start_while_the_Services_address_is_dead_lists_by_a_saved_one()
    {
        await StartAsPodAsync();
        await Eventually.TrueAsync(() => Saved().Contains(Server, StringComparison.Ordinal), Saved);
        await Agent.StopAsync();
        int before = Agent.Log.Lines.Count;

        KillService();
        Agent.Start();
        // The saved nodes do not have it.
        await JoinAsync(3);
        Assert.DoesNotContain(Service, Connections(), StringComparison.Ordinal);
        Assert.DoesNotContain(Agent.Log.Lines.Skip(before), l => l.Contains("Cannot watch nodes", StringComparison.Ordinal));
    }

    private async Task StartAsPodAsync()
    {
        ReviveService();
        Cluster.Api.Server.WriteServiceAccount($"{Pod}/var/run/secrets/kubernetes.io/serviceaccount");
        Agent.Kubeconfig = null;
        Agent.Wrapper = ["env", $"CONTAINER_SANDBOX_MOUNT_POINT={Pod}", "KUBERNETES_SERVICE_HOST=10.96.0.1", "KUBERNETES_SERVICE_PORT=443"];
        // A machine that is plugged in later may change the MAC address of the bridge, which is the API server's.
        Cluster.AddMachine(3);
        Cluster.AddMachine(4);
        await Agent.StartAndWaitAsync();
    }

    private async Task JoinAsync(int number)
    {
        Node node = Cluster.Node(number);
        Cluster.Announce(node);
        await Expect.RouteAsync(One, Expect.ByNodeAddress(node)[0]);
    }

    // As kube-proxy makes it.
    private void ReviveService() => SetRule("type nat hook output priority -100", "tcp dport 443 dnat to 10.0.0.2:6443");

    // Nothing answers and nothing refuses; open connections carry nothing any more.
    private void KillService() => SetRule("type filter hook output priority -150", "drop");

    private void SetRule(string hook, string action) => One.Network.Exec(
        "nft", $"table ip proxy; delete table ip proxy; table ip proxy {{ chain service {{ {hook}; ip daddr 10.96.0.1 {action}; }}; }}");

    private string Connections() => One.Network.Exec("ss", "--no-header", "--numeric", "--tcp", "state", "established");

    private string Saved() => File.Exists($"{Agent.StateDirectory}/nodes") ? File.ReadAllText($"{Agent.StateDirectory}/nodes") : "";
}
