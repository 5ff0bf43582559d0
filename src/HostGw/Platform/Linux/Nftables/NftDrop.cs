using System.Text;
using HostGw.Platform.Linux.Netlink;
using static HostGw.Platform.Linux.Nftables.NfTables;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>Tells a rule that drops whatever comes to it, written by nft or by iptables-nft. Pure.</summary>
internal static class NftDrop
{
    /// <param name="expressions">The value of NFTA_RULE_EXPRESSIONS.</param>
    public static bool IsUnconditional(ReadOnlySpan<byte> expressions)
    {
        bool drops = false;
        var walk = new NetlinkAttributes(expressions);
        while (walk.Next())
        {
            string name = Text(NftAttributes.Find(walk.Value, NFTA_EXPR_NAME));
            ReadOnlySpan<byte> data = NftAttributes.Find(walk.Value, NFTA_EXPR_DATA);
            if (Drops(name, data))
                drops = true;
            else if (!PassesEverything(name, data))
                return false;
        }
        return drops;
    }

    private static bool Drops(string name, ReadOnlySpan<byte> data) => name switch
    {
        "immediate" => NftAttributes.Find(NftAttributes.Find(data, NFTA_IMMEDIATE_DATA), NFTA_DATA_VERDICT) is { IsEmpty: false } verdict
            && NftAttributes.ReadBigEndian(NftAttributes.Find(verdict, NFTA_VERDICT_CODE)) == NF_DROP,
        "reject" => true,
        "target" => Text(NftAttributes.Find(data, NFTA_TARGET_NAME)) == "REJECT",
        _ => false,
    };

    private static bool PassesEverything(string name, ReadOnlySpan<byte> data) =>
        name is "counter" or "log" || (name == "match" && Text(NftAttributes.Find(data, NFTA_MATCH_NAME)) == "comment");

    private static string Text(ReadOnlySpan<byte> value) => Encoding.UTF8.GetString(value.TrimEnd((byte)0));
}
