using System.Runtime.Versioning;
using System.Text.Json;
using HostGw.Platform.Windows;
using HostGw.Platform.Windows.Hns;

namespace HostGw.Windows.Tests.OnWindows;

/// <summary>Without -L2Bridge on a network of another type, which answers for that type only: the evidence names it.</summary>
[SupportedOSPlatform("windows")]
public sealed class HnsTests(Verification run, HnsFixture hns) : Asking(run), IClassFixture<HnsFixture>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private static readonly string[] Exceptions = ["203.0.113.0/24", "192.0.2.0/24"];

    [Fact]
    public Task Lists() => AskAsync(Question.Hns, () =>
    {
        TestObjects.RequireHns();
        List<HnsNetwork> networks = HnsClient.Networks();
        int endpoints = HnsClient.Endpoints().Count;
        Assert.All(networks, n => Assert.True(n.Id != default && n.Name.Length > 0 && n.Type.Length > 0, $"{n}"));
        return $"{networks.Count} networks ({string.Join(", ", networks.Select(n => n.Type).Distinct())}), {endpoints} endpoints";
    });

    [Fact]
    public Task Network() => AskAsync(Question.HnsNetwork, () =>
    {
        HnsNetwork network = hns.Network.Value;
        Assert.Equal((HnsFixture.PodCidr, HnsFixture.PodCidr.Address.Plus(1)), (network.Subnet, network.Gateway));
        return $"{network.Type} {network.Subnet}, gateway {network.Gateway}";
    });

    [Fact]
    public Task Endpoint_of_the_host() => AskAsync(Question.HnsEndpoint, () =>
    {
        HnsEndpoint endpoint = Given().HostEndpoint.Value;
        Assert.Equal(HnsFixture.PodCidr.Address.Plus(2), endpoint.Address);
        return $"{endpoint.Address} in {hns.Network.Value.Type}";
    });

    [Fact]
    public Task Attachment() => AskAsync(Question.HnsAttach, () =>
    {
        HnsEndpoint endpoint = GivenHostEndpoint();
        string alias = $"vEthernet ({Machine.Name})";
        using Changes changes = new();
        HnsClient.AttachToHost(endpoint.Id);
        changes.Await(Patience, $"no interface {alias}", () => Machine.Read().Interfaces.Any(i => i.Name == alias));
        Assert.NotEqual(default, HnsClient.Endpoints().Single(e => e.Id == endpoint.Id).Namespace);
        return $"{alias} in {hns.Network.Value.Type}";
    });

    [Fact]
    public Task Update_of_nat() => AskAsync(Question.HnsNat, () =>
    {
        Guid pod = CreatePod(Given().Network.Value);
        IReadOnlyList<string> before = TestObjects.Policies(pod);
        if (before.Count < 2)
            throw new NotAskedException($"HNS kept {before.Count} of 2 policies in {hns.Network.Value.Type}: ask with -L2Bridge");
        HnsClient.ModifyEndpoint(pod, HnsDocuments.UpdateNat(Exceptions));
        IReadOnlyList<string> after = TestObjects.Policies(pod);
        string evidence = $"in {hns.Network.Value.Type}, before: {string.Join(' ', before)}; after: {string.Join(' ', after)}";
        Assert.True(Types(before).SequenceEqual(Types(after)), evidence);
        HnsEndpoint endpoint = HnsClient.Endpoints().Single(e => e.Id == pod);
        Assert.True(endpoint.NatExceptions is [var only] && only.ToHashSet().SetEquals(Exceptions), evidence);
        return evidence;
    });

    [Fact]
    public Task Bridge() => AskAsync(Question.HnsBridge, () =>
    {
        if (!Machine.MayBridge)
            throw new NotAskedException("verify.ps1 ran without -L2Bridge");
        _ = Given();
        return hns.Moved;
    });

    /// <summary>With its network, which another question is about.</summary>
    private HnsFixture Given()
    {
        TestObjects.RequireHns();
        try
        {
            _ = hns.Network.Value;
        }
        catch (Exception e) when (e is WindowsException or InvalidOperationException)
        {
            throw new NotAskedException($"there is no network: see {Question.HnsNetwork.Id}");
        }
        return hns;
    }

    private HnsEndpoint GivenHostEndpoint()
    {
        try
        {
            return Given().HostEndpoint.Value;
        }
        catch (WindowsException)
        {
            throw new NotAskedException($"there is no endpoint: see {Question.HnsEndpoint.Id}");
        }
    }

    /// <summary>An endpoint as win-bridge makes it for a pod.</summary>
    private static Guid CreatePod(HnsNetwork network)
    {
        const string Name = $"{Machine.Name}-pod";
        const string Nat = """{"Type":"OutBoundNAT","Settings":{"Exceptions":["198.51.100.0/24"]}}""";
        const string Route = """{"Type":"SDNRoute","Settings":{"DestinationPrefix":"203.0.113.0/24","NextHop":"","NeedEncap":true}}""";
        try
        {
            HnsClient.CreateEndpoint(network.Id, $$"""
                {"Name":"{{Name}}","HostComputeNetwork":"{{network.Id}}",
                "IpConfigurations":[{"IpAddress":"{{network.Subnet.Address.Plus(7)}}","PrefixLength":24}],
                "Policies":[{{Nat}},{{Route}}],"SchemaVersion":{"Major":2,"Minor":0} }
                """);
        }
        catch (WindowsException e) when (network.Type != "L2Bridge")
        {
            throw new NotAskedException($"a network of type {network.Type} takes no such policies ({e.Message}): ask with -L2Bridge");
        }
        return HnsClient.Endpoints().Single(e => e.Name == Name).Id;
    }

    private static IEnumerable<string> Types(IEnumerable<string> policies) => policies.Select(p =>
    {
        using var policy = JsonDocument.Parse(p);
        return $"{policy.RootElement.GetProperty("Type")}";
    }).Order(StringComparer.Ordinal);
}
