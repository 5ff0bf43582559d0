using System.Runtime.Versioning;
using HostGw.Hosting;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Platform.Windows;
using HostGw.Platform.Windows.Hns;
using HostGw.Problems;
using HostGw.Reconciliation;

namespace HostGw.Tests.Platform.Windows;

[SupportedOSPlatform("windows")]
[Collection(nameof(WindowsTests))]
public sealed class HnsTests
{
    private const string Right = "10.244.1.0/24 10.244.1.1";
    private static readonly Guid Network = new("11111111-0000-0000-0000-000000000001"), Endpoint = new("22222222-0000-0000-0000-000000000001"), Host = new("aa000000-0000-0000-0000-000000000001");
    private static readonly Prefix PodCidr = Prefix.Parse("10.244.1.0/24");

    [Fact]
    public void The_network_is_a_bridge_to_the_adapters_segment() => Assert.Equal(
        """{"Name":"cbr0","Type":"L2Bridge","Ipams":[{"Type":"Static","Subnets":[{"IpAddressPrefix":"10.244.1.0/24","Routes":[{"NextHop":"10.244.1.1","DestinationPrefix":"0.0.0.0/0"}]}]}],"Policies":[{"Type":"NetAdapterName","Settings":{"NetworkAdapterName":"Ethernet"}}],"Flags":0,"SchemaVersion":{"Major":2,"Minor":0}}""",
        HnsDocuments.Network("cbr0", PodCidr, PodNetwork.Adapter("vEthernet (Ethernet)")));

    [Fact]
    public void The_hosts_endpoint_has_the_second_address() => Assert.Equal(
        """{"Name":"cbr0","HostComputeNetwork":"11111111-0000-0000-0000-000000000001","IpConfigurations":[{"IpAddress":"10.244.1.2","PrefixLength":24}],"SchemaVersion":{"Major":2,"Minor":0}}""",
        HnsDocuments.HostEndpoint("cbr0", Network, PodCidr));

    [Fact]
    public void It_is_put_into_the_hosts_namespace() => Assert.Equal(
        """{"ResourceType":"Endpoint","RequestType":"Add","Settings":{"EndpointId":"22222222-0000-0000-0000-000000000001"}}""", HnsDocuments.AddToNamespace(Endpoint));

    [Fact]
    public void All_of_a_kind_is_asked_for() => Assert.Equal("""{"SchemaVersion":{"Major":2,"Minor":0},"Flags":0}""", HnsDocuments.Query);

    [Fact]
    public void A_network_reads_as_it_was_asked_for()
    {
        string answer = HnsDocuments.Network("cbr0", PodCidr, "").Replace("{\"Name\"", $"{{\"ID\":\"{Network}\",\"Name\"", StringComparison.Ordinal);
        Assert.Equal(new(Network, "cbr0", "L2Bridge", PodCidr, Ip.Parse("10.244.1.1")), HnsObjects.ReadNetwork(answer));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("""{"Ipams":[],"Name":5,"ID":"x"}""")]
    [InlineData("""{"Ipams":[{"Subnets":[{"IpAddressPrefix":"nonsense","Routes":null}]}]}""")]
    public void What_is_missing_reads_as_none(string json) => Assert.Equal(new(default, "", "", default, default), HnsObjects.ReadNetwork(json));

    [Theory]
    [InlineData("", "", "CreateNetwork")]
    [InlineData("cbr0 L2Bridge " + Right, "", "CreateEndpoint")]
    [InlineData("cbr0 L2Bridge " + Right, "10.244.1.9 attached", "CreateEndpoint")]
    [InlineData("cbr0 L2Bridge " + Right, "10.244.1.2", "AttachEndpoint")]
    [InlineData("cbr0 L2Bridge " + Right, "10.244.1.2 attached", "None")]
    [InlineData("other L2Bridge 192.168.255.0/30 192.168.255.1", "", "CreateNetwork")]
    [InlineData("cbr0 L2Bridge 10.244.7.0/24 10.244.7.1", "10.244.7.9 attached", "None: HNS network 'cbr0' is L2Bridge 10.244.7.0/24 with gateway 10.244.7.1, not L2Bridge 10.244.1.0/24 with 10.244.1.1; it has 1 endpoints: drain the node and remove it (Remove-HnsNetwork)")]
    [InlineData("cbr0 Overlay " + Right, "", "None: HNS network 'cbr0' is Overlay 10.244.1.0/24 with gateway 10.244.1.1, not L2Bridge 10.244.1.0/24 with 10.244.1.1; it has 0 endpoints: drain the node and remove it (Remove-HnsNetwork)")]
    [InlineData("l2bridge L2Bridge " + Right, "", "None: HNS network 'l2bridge' already has 10.244.1.0/24, which overlaps this node's podCIDR 10.244.1.0/24: set windows.network to it, or remove it")]
    public void What_is_right_is_taken_as_it_is_and_no_network_is_ever_removed(string network, string endpoint, string expected)
    {
        string[] n = network.Split(' '), e = endpoint.Split(' ');
        HnsNetwork[] networks = network.Length == 0 ? [] : [new(Network, n[0], n[1], Prefix.Parse(n[2]), Ip.Parse(n[3]))];
        HnsEndpoint[] endpoints = endpoint.Length == 0 ? [] : [new(Endpoint, "cbr0", Network, e.Length > 1 ? Host : default, Ip.Parse(e[0]))];
        PodNetworkStep step = PodNetworkStep.Next("cbr0", PodCidr, networks, endpoints);
        Assert.Equal(expected, step.Action + (step.Problem.Length > 0 ? $": {step.Problem}" : ""));
    }

    [Fact]
    public void When_asked_the_network_is_made_and_made_again_after_hns_lost_it()
    {
        using WindowsAgent agent = new("", $"remove-interface {WindowsAgent.PodEndpoint}") { CreateNetwork = true };
        StandIn.ForgetNetworks();
        agent.Restart();
        Assert.Empty(agent.Pass().Failures);
        Assert.Equal(["cbr0"], HnsClient.Networks().Select(n => n.Name));
        Assert.Equal(["10.244.1.2"], HnsClient.Endpoints().Select(e => e.Address.ToString()));
        agent.Pass(WakeCauses.Links);
        Assert.Contains("10.244.2.0/24 10.0.0.2 cbr0 250", WindowsAgent.Routes);
        Assert.False(agent.Pass().Changed);
        Assert.Single(HnsClient.Networks());

        StandIn.ForgetNetworks();
        agent.Pass(WakeCauses.Links);
        agent.Pass(WakeCauses.Links);
        Assert.Contains("10.244.2.0/24 10.0.0.2 cbr0 250", WindowsAgent.Routes);
    }

    // Nothing announces it: the periodic pass, or the next attempt after a failure, finds the service again.
    [Fact]
    public void While_the_service_is_away_all_else_is_kept_and_then_the_network_is_made()
    {
        using WindowsAgent agent = new("", $"remove-interface {WindowsAgent.PodEndpoint}") { CreateNetwork = true };
        StandIn.ForgetNetworks();
        StandIn.Do("hcn-refuse 1");
        agent.Restart();
        HostFailure failure = Assert.Single(agent.Pass().Failures);
        Assert.Equal(HostPart.PodNetwork, failure.Part);
        Assert.Contains("10.244.2.0/24 10.0.0.2 uplink 300", WindowsAgent.Routes);
        Assert.Empty(agent.Pass(WakeCauses.Resync).Failures);
        agent.Pass(WakeCauses.Resync);
        Assert.Contains("10.244.2.0/24 10.0.0.2 cbr0 250", WindowsAgent.Routes);
        StandIn.ForgetNetworks();
    }

    [Fact]
    public void Unasked_nothing_is_made()
    {
        using WindowsAgent agent = new("", $"remove-interface {WindowsAgent.PodEndpoint}");
        StandIn.ForgetNetworks();
        agent.Pass();
        Assert.Empty(HnsClient.Networks());
    }

    [Fact]
    public void A_network_of_others_in_its_place_is_a_problem_and_stays()
    {
        using WindowsAgent agent = new() { CreateNetwork = true };
        StandIn.ForgetNetworks();
        HnsClient.CreateNetwork(HnsDocuments.Network("cbr0", Prefix.Parse("10.244.7.0/24"), ""));
        agent.Restart();
        Assert.Contains("drain the node", Assert.Single(ProblemCatalog.Texts(agent.Pass())), StringComparison.Ordinal);
        Assert.Equal("10.244.7.0/24", Assert.Single(HnsClient.Networks()).Subnet.ToString());
        StandIn.ForgetNetworks();
    }

    [Fact]
    public void What_hns_refuses_is_told_in_its_own_words()
    {
        StandIn.ForgetNetworks();
        WindowsException error = Assert.Throws<WindowsException>(() => HnsClient.CreateNetwork("""{"Type":"Overlay"}"""));
        Assert.Equal("""create the HNS network: {"Error":"The document is not valid."} (error 0x803B0013)""", error.Message);
    }

    [Theory]
    [InlineData(5, true, false)] // ERROR_ACCESS_DENIED, of the IP Helper API
    [InlineData(0x80070005, true, false)] // the same as an HRESULT, of HNS
    [InlineData(1168, false, true)] // ERROR_NOT_FOUND
    [InlineData(0x80070490, false, true)]
    [InlineData(0x803B0001, false, true)] // HCN_E_NETWORK_NOT_FOUND
    [InlineData(0x800706BA, false, false)] // RPC_S_SERVER_UNAVAILABLE
    [InlineData(0x803B0005, false, false)]
    public void An_hresult_means_the_same_as_its_win32_error(uint code, bool isDenied, bool isNotFound)
    {
        WindowsException error = new("list HNS networks", code);
        Assert.Equal((isDenied, isNotFound), (HostPlatform.IsDenied(error), error.IsNotFound));
    }
}
