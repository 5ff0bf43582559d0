using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Platform.Windows.Hns;
using HostGw.Reconciliation;

namespace HostGw.Tests.Platform.Windows;

[SupportedOSPlatform("windows")]
[Collection(nameof(WindowsTests))]
public sealed class OutBoundNatTests : IDisposable
{
    private const string Policy = "clusterCidrs=10.244.0.0/16 serviceCidrs=10.96.0.0/12";
    private const string Right = """{"Type":"OutBoundNAT","Settings":{"Exceptions":["10.96.0.0/12","10.244.0.0/16"]}}""";
    private const string Wrong = """{"Type":"OutBoundNAT","Settings":{"Exceptions":["10.244.0.0/16"]}}""";
    private const string Route = """{"Type":"SDNRoute","Settings":{"DestinationPrefix":"10.96.0.0/12","NeedEncap":true}}""";

    private readonly WindowsAgent _agent = new(Policy) { CorrectOutBoundNat = true };

    public OutBoundNatTests()
    {
        StandIn.ForgetNetworks();
        HnsClient.CreateNetwork(HnsDocuments.Network("cbr0", Prefix.Parse("10.244.1.0/24"), ""));
    }

    public void Dispose()
    {
        _agent.Dispose();
        StandIn.ForgetNetworks();
    }

    [Fact]
    public void The_request_replaces_one_policy() => Assert.Equal(
        """{"ResourceType":"Policy","RequestType":"Update","Settings":{"Policies":[RIGHT]}}""".Replace("RIGHT", Right, StringComparison.Ordinal), HnsDocuments.UpdateNat(["10.96.0.0/12", "10.244.0.0/16"]));

    [Theory]
    [InlineData("10.244.1.7", Wrong, Right)]
    [InlineData("10.244.1.7", Route + "," + Wrong, Route + "," + Right)]
    [InlineData("10.244.1.7", "", Right)]
    [InlineData("10.244.1.7", Route, Route + "," + Right)]
    [InlineData("10.244.1.7", """{"Type":"OutBoundNAT","Settings":{"Exceptions":["10.244.0.0/16","10.96.0.0/12"]}}""", null)]
    [InlineData("10.244.1.7", Wrong + """,{"Type":"OutBoundNAT","Settings":{"Exceptions":["fd00::/8"]}}""", null)]
    [InlineData("10.244.1.2", "", null)]
    public void Each_pods_endpoint_gets_the_exceptions_and_keeps_its_other_policies(string address, string before, string? after)
    {
        Endpoint(address, before);
        string expected = after is null ? "" : $"set OutBoundNAT of the endpoints {address}";
        PassReport report = Restarted().Pass();
        Assert.Equal((expected, 0), (report.Result.NatChange, report.Failures.Count));
        Assert.Equal($"[{after ?? before}]", StandIn.Ask("hcn-endpoints"));
        Assert.Equal("", _agent.Pass(WakeCauses.Resync).Result.NatChange);
    }

    [Fact]
    public void Endpoints_of_pods_elsewhere_and_of_other_networks_are_nobodys_business()
    {
        StandIn.Do("""hcn-endpoint {"Flags":1,"IpConfigurations":[{"IpAddress":"10.244.1.9","PrefixLength":24}]}""");
        HnsClient.CreateNetwork(HnsDocuments.Network("nat", Prefix.Parse("172.30.0.0/24"), ""));
        Guid other = HnsClient.Networks().Single(n => n.Name == "nat").Id;
        HnsClient.CreateEndpoint(other, $$"""{"HostComputeNetwork":"{{other}}","IpConfigurations":[{"IpAddress":"172.30.0.9"}]}""");
        Assert.Equal("", Restarted().Pass().Result.NatChange);
        Assert.Equal("[]\n[]", StandIn.Ask("hcn-endpoints"));
    }

    [Fact]
    public void What_somebody_changed_is_a_repair_and_a_preview_tells_and_does_nothing()
    {
        Endpoint("10.244.1.7", Right);
        Plan plan = Restarted().Pass().Plan!;
        Endpoint("10.244.1.8", Wrong);
        Assert.Equal("set OutBoundNAT of the endpoints 10.244.1.8", _agent.Preview(new() { Routes = new(), ChangesNat = true, Nat = plan.Nat }).NatChange);
        Assert.Equal($"[{Right}]\n[{Wrong}]", StandIn.Ask("hcn-endpoints"));
        Assert.Equal(1, _agent.Pass(WakeCauses.Resync).Repairs.Masquerade);
    }

    // HCN_E_ENDPOINT_NOT_FOUND: its pod has just ended. The other one is a refusal, which is told and tried again.
    [Theory]
    [InlineData("803b0002", 0)]
    [InlineData("803b0017", 1)]
    public void One_endpoint_that_cannot_be_changed_keeps_no_other_from_it(string code, int failures)
    {
        Endpoint("10.244.1.7", Wrong);
        Endpoint("10.244.1.8", Wrong);
        Restarted();
        StandIn.Do($"hcn-answer modify {code} 1");
        Assert.Equal(failures, _agent.Pass().Failures.Count);
        Assert.Equal($"[{Wrong}]\n[{Right}]", StandIn.Ask("hcn-endpoints"));
        Assert.Empty(_agent.Pass(WakeCauses.Retry).Failures);
        Assert.Equal($"[{Right}]\n[{Right}]", StandIn.Ask("hcn-endpoints"));
    }

    [Fact]
    public void Unasked_they_stay_as_the_plugin_made_them()
    {
        Endpoint("10.244.1.7", Wrong);
        _agent.CorrectOutBoundNat = false;
        Assert.Equal("", Restarted().Pass().Result.NatChange);
        Assert.Equal($"[{Wrong}]", StandIn.Ask("hcn-endpoints"));
    }

    [Fact]
    public void A_service_that_does_not_run_is_a_failure_until_it_does()
    {
        Endpoint("10.244.1.7", Wrong);
        Restarted();
        StandIn.Do("hcn-refuse 1");
        HostFailure failure = Assert.Single(_agent.Pass().Failures);
        Assert.Equal((HostPart.Nat, "list HNS networks: error 0x800706BA"), (failure.Part, failure.Error.Message));
        Assert.Contains("10.244.2.0/24 10.0.0.2 uplink 300", WindowsAgent.Routes);
        Assert.Equal("set OutBoundNAT of the endpoints 10.244.1.7", _agent.Pass().Result.NatChange);
    }

    [Fact]
    public void An_object_of_hns_that_cannot_be_opened_is_reported_and_the_others_are_corrected()
    {
        StandIn.ForgetNetworks();
        HnsClient.CreateNetwork(HnsDocuments.Network("nat", Prefix.Parse("172.30.0.0/24"), ""));
        HnsClient.CreateNetwork(HnsDocuments.Network("cbr0", Prefix.Parse("10.244.1.0/24"), ""));
        Guid pods = HnsClient.Networks().Single(n => n.Name == "cbr0").Id;
        HnsClient.CreateEndpoint(
            pods, $$"""{"HostComputeNetwork":"{{pods}}","IpConfigurations":[{"IpAddress":"10.244.1.7"}],"Policies":[{{Wrong}}]}""");
        Restarted();
        StandIn.Do("hcn-answer open 803b0017 1");
        PassReport report = _agent.Pass();
        Assert.Empty(report.Failures);
        Assert.Equal("set OutBoundNAT of the endpoints 10.244.1.7", report.Result.NatChange);
        Assert.Contains("open HNS network", Assert.Single(report.Result.Obstacles), StringComparison.Ordinal);
        Assert.Equal($"[{Right}]", StandIn.Ask("hcn-endpoints"));
    }

    private WindowsAgent Restarted()
    {
        _agent.Restart();
        return _agent;
    }

    private static void Endpoint(string address, string policies) =>
        StandIn.Do($$"""hcn-endpoint {"IpConfigurations":[{"IpAddress":"{{address}}","PrefixLength":24}],"Policies":[{{policies}}]}""");
}
