using System.Runtime.InteropServices;
using HostGw.Planning;
using HostGw.Platform.Linux;
using HostGw.Platform.Linux.Census;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Nftables;
using HostGw.Platform.Linux.Rtnetlink;
using HostGw.Tests.Platform.Linux.Census;
using HostGw.Tests.Platform.Linux.Nftables;
using HostGw.Tests.Platform.Linux.Rtnetlink;

namespace HostGw.Tests.Fuzzing;

/// <summary>What comes from the kernel, or from a kernel of tomorrow.</summary>
internal static class NetlinkTargets
{
    private static readonly byte[][] Routes = Captured("routes.hex"), Links = Captured("links.hex"), Addresses = Captured("addresses.hex"),
        Tunnel = Captured("tunnel.hex");

    // What we send of rules has the form of what the kernel tells of them.
    private static readonly byte[] Rules =
        Convert.FromHexString(NftBatchGolden.Hex(NftBatchGolden.SmallPlan) + NftBatchGolden.Hex(NftBatchGolden.MovedElements));

    private static readonly byte[][] RuleMessages = [.. Split(Rules).Select(m => m.Payload), .. Corpus.Of("netlink").Select(FromHex)];

    public static IEnumerable<FuzzTarget> All =>
    [
        new("a route", Routes, [], bytes => new RouteDecoder(157).TryDecode(bytes, Rtnetlink.AF_UNSPEC, out _)),
        new("a local route", Routes, [], bytes =>
        {
            LocalRouteMessages.TryDecode(bytes, out _);
            LocalRouteMessages.Concerns(bytes, [], 157);
            LocalRouteMessages.TypeOf(bytes);
        }),
        new("an interface", Links, [], bytes => LinkMessages.TryDecodeLink(bytes, out _)),
        new("the tunnel's link", [.. Links, .. Tunnel], [], bytes =>
        {
            TunnelMessages.TryDecodeLink(bytes, out _);
            TunnelMessages.AddVnis(bytes, []);
            TunnelMessages.LinkOf(bytes);
        }),
        new("an address", Addresses, [], bytes => LinkMessages.TryDecodeAddress(bytes, out _)),
        new(
            "notifications of routes", [Datagram(24, Routes), Datagram(16, Links), Datagram(20, Addresses)], [],
            bytes => new RouteNotifications(157, 1, TimeProvider.System).Read(bytes)),
        new(
            "notifications of rules", [Rules, .. RuleMessages.Select(m => Datagram(0x0A06, [m]))], [],
            bytes => new RuleNotifications(port => port == 1, new()).Read(bytes)),
        new("rules", RuleMessages, [], Parse, BytesPerByte: 20_000),
        new("a tracked connection", [.. Corpus.Of("conntrack").Select(FromHex)], [], Forget),
        new("a refusal", [.. Corpus.Of("refusals").Select(FromHex)], [], bytes =>
        {
            foreach (ushort flags in (ushort[])[0, 0x100, 0x200, 0x300])
                NetlinkAck.Failure("test", flags, bytes);
        }),
    ];

    private static void Parse(byte[] bytes)
    {
        NftParser.Table(bytes);
        NftParser.Chain(bytes, out _);
        NftRule rule = NftParser.Rule(bytes, out _);
        NftExpressionParser.DropEverything(NftExpressionParser.Parse(rule.Expressions.AsSpan()));
        Follow(bytes);
        NftParser.Set(bytes);
        List<IntervalKey> keys = [];
        NftElements.Read(bytes, keys);
        IntervalKeys.Pair(keys);
    }

    // A rule that is any bytes, on packets, with a set that is any bytes.
    private static void Follow(byte[] bytes)
    {
        NftElementReader reader = NftElementReader.Of(bytes);
        reader.Read(bytes);
        NftElementSet set = reader.Finish();
        string chain = NetlinkAttributes.ReadString(NetlinkAttributes.Find(NfGenMsg.AttributesOf(bytes), NfTables.NFTA_RULE_CHAIN));
        if (NftListedRule.Parse(bytes, chain) is not { } listed)
            return;
        List<AddressRange> mentions = [];
        NftMentions.Collect(listed.Expressions, mentions);
        NftMentions.Collect(set, mentions);
        NftForeignRule rule = new(listed.Handle, listed.Expressions, new(NftFamily.Inet, _ => set));
        Assert.NotNull(rule.Text);
        PodTraffic traffic = Ruleset.Traffic();
        PacketClass[] packets =
            [.. traffic.Whole(), .. traffic.Parts(mentions, [], others: false), .. traffic.Parts(mentions, [], others: true)];
        foreach (PacketClass packet in packets)
        {
            packet.Begin();
            rule.Apply(packet, Match.All, []);
        }
    }

    private static void Forget(byte[] bytes)
    {
        var entry = new ConntrackEntry(bytes);
        NatPlan plan = Nat.Plan();
        if (new UnmasqueradedFlows(plan, plan.Sources, new HashSet<Ip>()).Contains(entry))
            entry.WriteKey(new NetlinkWriter());
    }

    private static byte[][] Captured(string file) => [.. Wire.Captured(file).Select(c => c.Payload)];

    private static byte[] FromHex(byte[] text) =>
        Convert.FromHexString(string.Concat(System.Text.Encoding.ASCII.GetString(text).Where(char.IsAsciiHexDigit)));

    private static byte[] Datagram(ushort type, byte[][] payloads)
    {
        NetlinkWriter writer = new();
        foreach (byte[] payload in payloads)
        {
            writer.Begin(type, 0, 0);
            foreach (byte b in payload)
                writer.Write(b);
            writer.End();
        }
        return writer.Written.ToArray();
    }

    private static List<(ushort Type, byte[] Payload)> Split(byte[] datagram)
    {
        List<(ushort, byte[])> all = [];
        var messages = new NetlinkMessages(datagram);
        while (messages.Next())
            all.Add((messages.Header.Type, messages.Payload.ToArray()));
        return all;
    }
}
