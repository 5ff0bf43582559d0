using System.Text;
using HostGw.Platform.Linux.Netlink;
using static HostGw.Platform.Linux.Nftables.NfTables;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>Whether a rule in the kernel is the one that we would write.</summary>
/// <remarks>
/// Not byte by byte: a kernel may print more than we set, leave zeros out, or pad otherwise, and a difference seen there would be repaired for ever.
/// </remarks>
internal static class ExpressionComparison
{
    private const ushort NFTA_CMP_DATA = 3;

    /// <summary>The same expressions in the same order with the same meaning.</summary>
    public static bool Same(ReadOnlySpan<byte> ours, ReadOnlySpan<byte> theirs)
    {
        var wanted = new NetlinkAttributes(ours);
        var found = new NetlinkAttributes(theirs);
        while (wanted.Next())
        {
            if (!found.Next() || !SameExpression(wanted.Value, found.Value))
                return false;
        }
        return !found.Next();
    }

    private static bool SameExpression(ReadOnlySpan<byte> ours, ReadOnlySpan<byte> theirs)
    {
        string name = Name(ours);
        if (name != Name(theirs))
            return false;

        ReadOnlySpan<byte> wanted = NftAttributes.Find(ours, NFTA_EXPR_DATA);
        ReadOnlySpan<byte> found = NftAttributes.Find(theirs, NFTA_EXPR_DATA);
        for (ushort type = 1; type <= KnownAttributes(name); type++)
        {
            if (!SameValue(Value(name, wanted, type), Value(name, found, type)))
                return false;
        }
        return true;
    }

    private static string Name(ReadOnlySpan<byte> expression) =>
        Encoding.UTF8.GetString(NftAttributes.Find(expression, NFTA_EXPR_NAME).TrimEnd((byte)0));

    private static ReadOnlySpan<byte> Value(string name, ReadOnlySpan<byte> data, ushort type)
    {
        ReadOnlySpan<byte> value = NftAttributes.Find(data, type);
        return name == "cmp" && type == NFTA_CMP_DATA ? NftAttributes.Find(value, NFTA_DATA_VALUE) : value;
    }

    // Absent and zero mean the same in every attribute that these expressions have.
    private static bool SameValue(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b) =>
        a.SequenceEqual(b) || (IsZero(a) && IsZero(b) && (a.IsEmpty || b.IsEmpty));

    private static bool IsZero(ReadOnlySpan<byte> value) => !value.ContainsAnyExcept((byte)0);

    // Attributes above these came after Linux 6.18; a rule of ours does not use them.
    private static int KnownAttributes(string expression) => expression switch
    {
        "payload" => 8, // NFTA_PAYLOAD_CSUM_FLAGS
        "lookup" => 5,  // NFTA_LOOKUP_FLAGS
        _ => 3,         // NFTA_META_SREG, NFTA_CMP_DATA, NFTA_FIB_FLAGS, NFTA_MASQ_REG_PROTO_MAX
    };
}
