using System.Runtime.Versioning;
using HostGw.Lab.Network;
using HostGw.Platform.Linux;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Lab.Tests.Platform;

[Collection("nftables")]
[SupportedOSPlatform("linux")]
public sealed class NftablesNotificationTests : IDisposable
{
    private readonly NftablesNat _nat = new();
    private readonly NetlinkSubscription _subscription = new(NfTables.NETLINK_NETFILTER, [NfTables.NFNLGRP_NFTABLES]);

    public void Dispose()
    {
        _nat.Remove();
        _nat.Dispose();
        _subscription.Dispose();
        Command.Run("sh", "-c", "nft delete table ip theirs 2>/dev/null; true");
    }

    [Fact]
    public async Task What_we_write_comes_back_with_our_port_and_what_others_write_with_theirs()
    {
        _nat.ApplyBeforeRoutes(NatChange.Between(NftablesPlans.DualStack, null));
        Assert.Equal([(true, true)], await TransactionAsync());

        Command.Run("nft", "add element inet hostgw exempt4 { 8.8.8.0/24 }");
        Assert.Equal([(true, false)], await TransactionAsync());

        Command.Run("nft", "add table ip theirs; add chain ip theirs hostgw");
        Assert.Equal([(false, false)], await TransactionAsync());

        Command.Run("nft", "delete table inet hostgw");
        Assert.Equal([(true, false)], await TransactionAsync());
    }

    // Whether the messages of one transaction concern our table, and whether they are our own: each answer once.
    private async Task<IEnumerable<(bool Concerns, bool IsOurs)>> TransactionAsync()
    {
        HashSet<(bool, bool)> seen = [];
        bool ended = false;
        while (!ended)
        {
            ReadOnlyMemory<byte> datagram = await _subscription.ReceiveAsync(TestContext.Current.CancellationToken)
                ?? throw new InvalidOperationException("the subscription overran");
            ended = Read(datagram.Span, seen);
        }
        return seen;
    }

    // The generation comes last.
    private bool Read(ReadOnlySpan<byte> datagram, HashSet<(bool, bool)> seen)
    {
        var messages = new NetlinkMessages(datagram);
        while (messages.Next())
        {
            if ((messages.Header.Type & 0xFF) == NfTables.NFT_MSG_NEWGEN)
                return true;
            seen.Add((RuleNotifications.Concerns(messages.Header.Type, messages.Payload), messages.Header.PortId == _nat.PortId));
        }
        return false;
    }
}
