using System.Text;
using static HostGw.Platform.Linux.Nftables.NfTables;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>Tells which messages of group NFNLGRP_NFTABLES are about our table.</summary>
internal static class NftNotification
{
    private static readonly byte[] TableName = Encoding.ASCII.GetBytes(MasqueradeRuleset.TableName);

    /// <summary>True if the message names our table. The generation that ends every transaction, whosever, names none.</summary>
    public static bool Concerns(ushort type, ReadOnlySpan<byte> payload)
    {
        if (type >> 8 != NFNL_SUBSYS_NFTABLES)
            return false;

        // The table's name is attribute 1 of tables, chains, rules, sets, elements, objects and flowtables alike.
        ReadOnlySpan<byte> attributes = payload[Math.Min(NfGenMsg.Size, payload.Length)..];
        return NftAttributes.Find(attributes, NFTA_TABLE_NAME).TrimEnd((byte)0).SequenceEqual(TableName);
    }
}
