using System.Runtime.Versioning;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Lab.Tests.Platform;

[Collection("nftables")]
[SupportedOSPlatform("linux")]
public sealed class NftablesRightsTests
{
    private const string Advice = "Operation not permitted (this needs the capability NET_ADMIN; or set nat.backend: none)";

    [Fact]
    public void Without_the_capability_the_error_names_it()
    {
        (string reading, string writing) = Capabilities.Without(() =>
        {
            using NftablesNat nat = new();
            return (Assert.Throws<NetlinkException>(() => nat.Read()).Message,
                Assert.Throws<NetlinkException>(() => nat.ApplyBeforeRoutes(NatChange.Between(NftablesPlans.DualStack, null))).Message);
        });

        Assert.Equal($"read the nf_tables generation: {Advice}", reading);
        Assert.Equal($"change nf_tables: {Advice}", writing);
    }
}
