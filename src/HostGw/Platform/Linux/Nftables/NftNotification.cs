using System.Text;
using HostGw.Platform.Linux.Iptables;
using static HostGw.Platform.Linux.Nftables.NfTables;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>Tells which messages of group NFNLGRP_NFTABLES are about rules of ours, or about what decides over ours. Pure.</summary>
internal static class NftNotification
{
    // The built-in chains of iptables-nft that lead to ours, and ours. kube-proxy's many changes are to other chains.
    private static readonly (string Table, string[] Chains)[] OfIptables =
    [
        .. ((OwnChain[])[OwnChain.Masquerade, OwnChain.Forward]).Select(c => (c.Table, (string[])[c.Parent, c.Name])),
    ];

    /// <summary>True if a pass should look. The generation that ends every transaction, whosever, names nothing.</summary>
    public static bool Concerns(ushort type, ReadOnlySpan<byte> payload)
    {
        if (type >> 8 != NFNL_SUBSYS_NFTABLES)
            return false;

        // The table's name is attribute 1 of tables, chains, rules, sets, elements, objects and flowtables alike.
        ReadOnlySpan<byte> attributes = payload[Math.Min(NfGenMsg.Size, payload.Length)..];
        string table = Text(NftAttributes.Find(attributes, NFTA_TABLE_NAME));
        if (table == MasqueradeRuleset.TableName)
            return true;
        return (byte)type switch
        {
            NFT_MSG_NEWTABLE or NFT_MSG_DELTABLE => LeftoverRules.IsTableOfOthers(table) || OfIptables.Any(t => t.Table == table),
            NFT_MSG_NEWCHAIN or NFT_MSG_DELCHAIN =>
                IsOfIptables(table, Text(NftAttributes.Find(attributes, NFTA_CHAIN_NAME))) || SeesForwarded(payload),
            NFT_MSG_NEWRULE or NFT_MSG_DELRULE => IsOfIptables(table, Text(NftAttributes.Find(attributes, NFTA_RULE_CHAIN))),
            _ => false,
        };
    }

    /// <summary>The program that made the transaction which ends with this message; null for any other message, and from old kernels.</summary>
    public static string? Writer(ushort type, ReadOnlySpan<byte> payload) =>
        type == ((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWGEN)
            && Text(NftAttributes.Find(payload[Math.Min(NfGenMsg.Size, payload.Length)..], NFTA_GEN_PROC_NAME)) is { Length: > 0 } name ? name : null;

    private static bool IsOfIptables(string table, string chain) => OfIptables.Any(t => t.Table == table && t.Chains.Contains(chain));

    private static bool SeesForwarded(ReadOnlySpan<byte> payload) => NftParser.Chain(payload, out _) is { Type: "filter", Hook: NF_INET_FORWARD };

    private static string Text(ReadOnlySpan<byte> value) => Encoding.UTF8.GetString(value.TrimEnd((byte)0));
}
