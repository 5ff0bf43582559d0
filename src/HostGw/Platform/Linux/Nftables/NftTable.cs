using System.Collections.Immutable;
using System.Globalization;
using HostGw.Platform.Linux.Netlink;
using static HostGw.Platform.Linux.Nftables.NfTables;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>A table of HostGw's, desired or as read from the kernel.</summary>
/// <param name="Flags">0; 1 is dormant: the kernel skips every chain.</param>
/// <param name="Others">The number of objects of kinds that HostGw never creates.</param>
internal sealed record NftTable(
    NftFamily Family, uint Flags, int Others, ImmutableArray<NftChain> Chains, ImmutableArray<NftSet> Sets);

/// <param name="Type">"nat" or "filter"; empty if the chain has no hook.</param>
internal sealed record NftChain(string Name, string Type, uint Hook, int Priority, uint Policy, ImmutableArray<NftRule> Rules)
{
    /// <summary>The kernel calls it; else other chains' rules do.</summary>
    public bool HasHook => Type.Length > 0;
}

/// <param name="Comment">The text that nft shows. HostGw's ends with a fingerprint of the expressions.</param>
/// <param name="Expressions">The value of NFTA_RULE_EXPRESSIONS.</param>
internal sealed record NftRule(string Comment, ImmutableArray<byte> Expressions)
{
    private const string CommentPrefix = "kept by hostgw, ";

    /// <summary>A rule of HostGw's.</summary>
    public static NftRule Of(NftExpressions expressions)
    {
        ImmutableArray<byte> bytes = expressions.ToImmutable();
        return new(CommentPrefix + Fingerprint(bytes.AsSpan()), bytes);
    }

    // FNV-1a: enough to distinguish HostGw's own encodings, without loading a cryptography library.
    private static string Fingerprint(ReadOnlySpan<byte> bytes)
    {
        uint hash = 2166136261;
        foreach (byte b in bytes)
            hash = unchecked((hash ^ b) * 16777619);
        return hash.ToString("x8", CultureInfo.InvariantCulture);
    }
}

/// <param name="Elements">Sorted.</param>
internal sealed record NftSet(string Name, uint KeyType, uint KeyLength, uint Flags, ImmutableArray<AddressRange> Elements);

/// <summary>The tables of the masquerade rule in the kernel; at least one.</summary>
internal sealed record NatState(ImmutableArray<NftTable> Tables)
{
    public NftLayout Layout => Tables.Any(t => t.Family == NftFamily.Inet) ? NftLayout.Inet : NftLayout.PerFamily;
}

/// <summary>How the rule is spread over tables.</summary>
internal enum NftLayout
{
    /// <summary>One table for both families.</summary>
    Inet,

    /// <summary>A table per family, for kernels without NAT in inet tables.</summary>
    PerFamily,
}

/// <summary>The families of nf_tables; the values are NFPROTO_*. HostGw's tables are inet, IPv4 or IPv6.</summary>
internal enum NftFamily : byte
{
    Inet = 1,
    IPv4 = 2,
    Arp = 3,
    Netdev = 5,
    Bridge = 7,
    IPv6 = 10,
}

/// <summary>The families as nft writes them.</summary>
internal static class NftNames
{
    public static string Of(NftFamily family) => family switch
    {
        NftFamily.Inet => "inet",
        NftFamily.IPv4 => "ip",
        NftFamily.Arp => "arp",
        NftFamily.Netdev => "netdev",
        NftFamily.Bridge => "bridge",
        _ => "ip6",
    };
}

/// <summary>Compares HostGw's tables with the desired ones, apart from the elements of their sets. Pure.</summary>
internal static class TableDifference
{
    /// <summary>The first difference, in words; null if there is none.</summary>
    public static string? Between(ImmutableArray<NftTable> desired, ImmutableArray<NftTable> observed)
    {
        foreach (NftTable table in observed.Where(o => !desired.Any(d => d.Family == o.Family)))
            return $"table {NftNames.Of(table.Family)} is not needed";

        return desired
            .Select(d => Table(d, observed.FirstOrDefault(o => o.Family == d.Family)))
            .FirstOrDefault(reason => reason is not null);
    }

    /// <summary>The first difference of a table in what holds rules and elements, in words; null if there is none.</summary>
    public static string? OfShape(NftTable desired, NftTable observed)
    {
        if (observed.Flags != desired.Flags)
            return $"the table's flags are {observed.Flags}";
        if (observed.Others != desired.Others)
            return "the table contains foreign objects";

        return Names("chain", desired.Chains.Select(c => c.Name), observed.Chains.Select(c => c.Name))
            ?? Names("set", desired.Sets.Select(s => s.Name), observed.Sets.Select(s => s.Name))
            ?? desired.Sets.Select(d => Set(d, observed.Sets.First(o => o.Name == d.Name))).FirstOrDefault(r => r is not null)
            ?? desired.Chains.Select(d => Chain(d, observed.Chains.First(o => o.Name == d.Name))).FirstOrDefault(r => r is not null);
    }

    /// <summary>The first difference in the rules of two chains, in words; null if there is none.</summary>
    public static string? OfRules(NftChain desired, NftChain observed)
    {
        if (observed.Rules.Length != desired.Rules.Length)
            return $"chain {desired.Name} has {observed.Rules.Length} rules, not {desired.Rules.Length}";

        bool same = desired.Rules.Zip(observed.Rules).All(pair => Same(pair.First, pair.Second));
        return same ? null : $"a rule of chain {desired.Name} was changed";
    }

    private static string? Table(NftTable desired, NftTable? observed) => observed is null
        ? $"table {NftNames.Of(desired.Family)} is missing"
        : OfShape(desired, observed) ?? desired.Chains
            .Select(d => OfRules(d, observed.Chains.First(o => o.Name == d.Name))).FirstOrDefault(r => r is not null);

    private static string? Names(string kind, IEnumerable<string> desired, IEnumerable<string> observed)
    {
        if (desired.Except(observed).FirstOrDefault() is { } missing)
            return $"{kind} {missing} is missing";
        return observed.Except(desired).FirstOrDefault() is { } foreign ? $"{kind} {foreign} is foreign" : null;
    }

    private static string? Set(NftSet desired, NftSet observed)
    {
        bool same = observed.KeyType == desired.KeyType && observed.KeyLength == desired.KeyLength && observed.Flags == desired.Flags;
        return same ? null : $"set {desired.Name} has another type";
    }

    private static string? Chain(NftChain desired, NftChain observed)
    {
        if (observed.Type != desired.Type || observed.Hook != desired.Hook || observed.Priority != desired.Priority)
            return $"chain {desired.Name} has another type, hook or priority";
        return observed.Policy != desired.Policy ? $"chain {desired.Name} has another policy" : null;
    }

    // The fingerprint in the comment shows whether HostGw wrote the rule: an attribute that is unknown here was then added by the kernel.
    private static bool Same(NftRule desired, NftRule observed) =>
        observed.Comment == desired.Comment && ExpressionComparison.Same(desired.Expressions.AsSpan(), observed.Expressions.AsSpan());
}

/// <summary>Compares the expressions of a rule in the kernel with those that HostGw writes.</summary>
/// <remarks>
/// By meaning, not by bytes: a kernel may dump more attributes than were set, omit zeros, or pad differently. A difference seen
/// there would be repaired in every pass.
/// </remarks>
internal static class ExpressionComparison
{
    private const ushort NFTA_CMP_DATA = 3;
    private const ushort NFTA_BITWISE_MASK = 4, NFTA_BITWISE_XOR = 5;

    /// <summary>The same expressions in the same order with the same meaning.</summary>
    public static bool Same(ReadOnlySpan<byte> desired, ReadOnlySpan<byte> observed)
    {
        var wanted = new NetlinkAttributes(desired);
        var found = new NetlinkAttributes(observed);
        while (wanted.Next())
        {
            if (!found.Next() || !SameExpression(wanted.Value, found.Value))
                return false;
        }
        return !found.Next();
    }

    private static bool SameExpression(ReadOnlySpan<byte> desired, ReadOnlySpan<byte> observed)
    {
        string name = Name(desired);
        if (name != Name(observed))
            return false;

        ReadOnlySpan<byte> wanted = NetlinkAttributes.Find(desired, NFTA_EXPR_DATA);
        ReadOnlySpan<byte> found = NetlinkAttributes.Find(observed, NFTA_EXPR_DATA);
        if (name == "immediate" && Verdict(wanted) != Verdict(found))
            return false;
        for (ushort type = 1; type <= KnownAttributes(name); type++)
        {
            if (!SameValue(Value(name, wanted, type), Value(name, found, type)))
                return false;
        }
        return true;
    }

    private static NftVerdict Verdict(ReadOnlySpan<byte> immediate) => NftVerdict.Parse(
        NetlinkAttributes.Find(NetlinkAttributes.Find(immediate, NFTA_IMMEDIATE_DATA), NFTA_DATA_VERDICT));

    private static string Name(ReadOnlySpan<byte> expression) =>
        NetlinkAttributes.ReadString(NetlinkAttributes.Find(expression, NFTA_EXPR_NAME));

    private static ReadOnlySpan<byte> Value(string name, ReadOnlySpan<byte> data, ushort type)
    {
        ReadOnlySpan<byte> value = NetlinkAttributes.Find(data, type);
        bool isData = (name == "cmp" && type == NFTA_CMP_DATA) || (name == "bitwise" && type is NFTA_BITWISE_MASK or NFTA_BITWISE_XOR);
        return isData ? NetlinkAttributes.Find(value, NFTA_DATA_VALUE) : value;
    }

    // Absent and zero mean the same in every attribute of these expressions.
    private static bool SameValue(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b) =>
        a.SequenceEqual(b) || (IsZero(a) && IsZero(b) && (a.IsEmpty || b.IsEmpty));

    private static bool IsZero(ReadOnlySpan<byte> value) => !value.ContainsAnyExcept((byte)0);

    // Higher attributes are newer than Linux 6.18; HostGw's rules do not use them.
    private static int KnownAttributes(string expression) => expression switch
    {
        "payload" => 8,   // NFTA_PAYLOAD_CSUM_FLAGS
        "lookup" => 5,    // NFTA_LOOKUP_FLAGS
        "bitwise" => 5,   // NFTA_BITWISE_XOR
        "immediate" => 1, // NFTA_IMMEDIATE_DREG; the verdict is compared by itself
        "counter" => 0,   // what it has counted
        _ => 3,           // NFTA_META_SREG, NFTA_CT_DIRECTION, NFTA_CMP_DATA, NFTA_FIB_FLAGS, NFTA_MASQ_REG_PROTO_MAX
    };
}
