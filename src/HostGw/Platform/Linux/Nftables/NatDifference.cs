using System.Collections.Immutable;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>Finds what is wrong with our tables apart from their sets' elements. Pure.</summary>
internal static class NatDifference
{
    /// <summary>The first difference in words; null where there is none.</summary>
    public static string? Between(ImmutableArray<NftTable> desired, ImmutableArray<NftTable> observed)
    {
        foreach (NftTable table in observed.Where(o => !desired.Any(d => d.Family == o.Family)))
            return $"table {NftNames.Of(table.Family)} should not be there";

        return desired
            .Select(d => Table(d, observed.FirstOrDefault(o => o.Family == d.Family)))
            .FirstOrDefault(reason => reason is not null);
    }

    private static string? Table(NftTable desired, NftTable? observed)
    {
        if (observed is null)
            return $"table {NftNames.Of(desired.Family)} is missing";
        if (observed.Flags != desired.Flags)
            return $"the table's flags are {observed.Flags}";
        if (observed.Others != desired.Others)
            return "the table holds objects that are not ours";

        return Unwanted("chain", desired.Chains.Select(c => c.Name), observed.Chains.Select(c => c.Name))
            ?? Unwanted("set", desired.Sets.Select(s => s.Name), observed.Sets.Select(s => s.Name))
            ?? desired.Sets.Select(d => Set(d, observed.Sets.First(o => o.Name == d.Name))).FirstOrDefault(r => r is not null)
            ?? desired.Chains.Select(d => Chain(d, observed.Chains.First(o => o.Name == d.Name))).FirstOrDefault(r => r is not null);
    }

    private static string? Unwanted(string kind, IEnumerable<string> desired, IEnumerable<string> observed)
    {
        if (desired.Except(observed).FirstOrDefault() is { } missing)
            return $"{kind} {missing} is missing";
        return observed.Except(desired).FirstOrDefault() is { } extra ? $"{kind} {extra} is not ours" : null;
    }

    private static string? Set(NftSet desired, NftSet observed)
    {
        bool same = observed.KeyType == desired.KeyType && observed.KeyLength == desired.KeyLength && observed.Flags == desired.Flags;
        return same ? null : $"set {desired.Name} is of another kind";
    }

    private static string? Chain(NftChain desired, NftChain observed)
    {
        if (observed.Type != desired.Type || observed.Hook != desired.Hook || observed.Priority != desired.Priority)
            return $"chain {desired.Name} hangs elsewhere";
        if (observed.Policy != desired.Policy)
            return $"chain {desired.Name} has another policy";
        if (observed.Rules.Length != desired.Rules.Length)
            return $"chain {desired.Name} has {observed.Rules.Length} rules, not {desired.Rules.Length}";

        bool same = desired.Rules.Zip(observed.Rules).All(pair => Same(pair.First, pair.Second));
        return same ? null : $"a rule of chain {desired.Name} was changed";
    }

    // The fingerprint tells an attribute that only this kernel prints from one that somebody else set.
    private static bool Same(NftRule desired, NftRule observed) =>
        observed.Comment == desired.Comment && ExpressionComparison.Same(desired.Expressions.AsSpan(), observed.Expressions.AsSpan());
}
