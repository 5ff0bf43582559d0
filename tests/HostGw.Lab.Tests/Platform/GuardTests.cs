using System.Collections.Immutable;
using System.Runtime.Versioning;
using System.Text.RegularExpressions;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Platform.Linux;

namespace HostGw.Lab.Tests.Platform;

/// <summary>The guards' table in this process's own nf_tables: what is in it, what changes, and what is left alone.</summary>
[Collection("nftables")]
[SupportedOSPlatform("linux")]
public sealed partial class GuardTests : NftablesTest
{
    private readonly LinuxGuards _guards = new(TimeProvider.System);

    [Fact]
    public void Nft_shows_the_guards_of_probes() => Lists(GuardPlans.Probes, GuardPlans.ProbesListed);

    [Fact]
    public void Nft_shows_the_guards_of_a_tunnel() => Lists(GuardPlans.Tunnel, GuardPlans.TunnelListed);

    private void Lists(GuardPlan plan, string expected)
    {
        Assert.Equal("the table is missing", Make(_guards, plan));
        Assert.Equal(expected, Listed());
        Assert.Equal("", Make(_guards, plan));
    }

    private static string Make(LinuxGuards guards, GuardPlan? plan, bool reread = true, bool writes = true)
    {
        Attempts attempts = new();
        string done = guards.Make(plan, reread, writes, attempts) + guards.Remove(plan, reread, writes, attempts);
        Assert.Empty(attempts.Failures.Select(f => f.Error.ToString()));
        return done;
    }

    private static string Listed() => Fingerprint().Replace(List("table inet hostgw-guard"), "hostgw, FINGERPRINT");

    [GeneratedRegex("hostgw, [0-9a-f]{8}")]
    private static partial Regex Fingerprint();
}
