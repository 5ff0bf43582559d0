using System.Runtime.Versioning;
using HostGw.Platform;
using HostGw.Platform.Windows;
using HostGw.Platform.Windows.Hns;
using HostGw.Problems;
using HostGw.Problems.Rules;
using HostGw.Reconciliation;

namespace HostGw.Tests.Platform.Windows;

/// <summary>An agent without rights says so once, with the cure.</summary>
[SupportedOSPlatform("windows")]
[Collection(nameof(WindowsTests))]
public sealed class WindowsRightsTests
{
    [Theory]
    [InlineData("answer GetIpForwardTable2 5 1")]
    [InlineData("answer GetIpInterfaceTable 5 1")]
    [InlineData("answer GetUnicastIpAddressTable 5 1")]
    [InlineData("answer CreateIpForwardEntry2 5 99")]
    [InlineData("answer SetIpInterfaceEntry 5 99")]
    [InlineData("hcn-answer open 80070005 99")]
    [InlineData("answer CreateIpForwardEntry2 5 99", "answer SetIpInterfaceEntry 5 99", "hcn-answer open 80070005 99")]
    public void Whatever_is_denied_is_one_problem(params string[] denied)
    {
        using WindowsAgent agent = new() { CreateNetwork = true };
        StandIn.ForgetNetworks();
        HnsClient.CreateNetwork(HnsDocuments.Network("cbr0", Prefix.Parse("10.244.1.0/24"), ""));
        agent.Restart();
        StandIn.Do(denied);
        Problem problem = Assert.Single(ProblemCatalog.Failures(agent.Pass()));
        StandIn.ForgetNetworks();
        Assert.Equal("HostAccessDenied", problem.Rule);
        Assert.Contains(@"in a HostProcess container with runAsUserName NT AUTHORITY\SYSTEM", problem.Cure, StringComparison.Ordinal);
    }

    [Fact]
    public void A_refusal_for_another_reason_is_another_problem()
    {
        using WindowsAgent agent = new();
        StandIn.Do("answer CreateIpForwardEntry2 14 1", "answer SetIpInterfaceEntry 5 99");
        Assert.Equal(
            ["HostAccessDenied", "RoutesNotApplied"],
            ProblemCatalog.Failures(agent.Pass()).Select(p => p.Rule).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_doctor_names_the_same_cure()
    {
        using WindowsAgent agent = new();
        HostFacts facts = new() { MayChangeNetwork = false, Rights = WindowsException.Rights };
        Problem problem = Assert.Single(AccessRules.Rights(new() { Policy = new() { NodeName = "self" }, Facts = facts }));
        Assert.Contains("HostProcess", problem.Cure, StringComparison.Ordinal);
    }

    [Fact]
    public void An_object_of_hns_that_may_not_be_opened_is_not_taken_for_one_that_is_gone()
    {
        StandIn.ForgetNetworks();
        HnsClient.CreateNetwork(HnsDocuments.Network("cbr0", Prefix.Parse("10.244.1.0/24"), ""));
        StandIn.Do("hcn-answer open 803b0017 1");
        Assert.Equal(0x803B0017u, Assert.Throws<WindowsException>(() => HnsClient.Networks()).Code);
        StandIn.Do("hcn-answer open 803b0001 1");
        Assert.Empty(HnsClient.Networks());
        Assert.Single(HnsClient.Networks());
        StandIn.ForgetNetworks();
    }

    [Fact]
    public void An_endpoint_that_the_older_call_attached_is_complete()
    {
        using WindowsAgent agent = new() { CreateNetwork = true };
        StandIn.ForgetNetworks();
        HnsClient.CreateNetwork(HnsDocuments.Network("cbr0", Prefix.Parse("10.244.1.0/24"), ""));
        StandIn.Do("hcn-answer attach 803b0014 99");
        agent.Restart();
        for (int i = 0; i < 2; i++)
        {
            PassReport report = agent.Pass();
            Assert.Empty(report.Failures);
            Assert.DoesNotContain(report.Result.Obstacles, o => o.Contains("incomplete", StringComparison.Ordinal));
        }
        StandIn.ForgetNetworks();
    }
}
