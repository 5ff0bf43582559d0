using System.Buffers;
using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>The fields of a Node that planning uses.</summary>
internal sealed record ClusterNode
{
    public required string Name { get; init; }

    /// <summary>metadata.uid: tells a node from a later one of the same name.</summary>
    public required ObjectUid Uid { get; init; }

    /// <summary>metadata.creationTimestamp in Unix seconds: of overlapping podCIDRs the oldest node's is granted.</summary>
    public long CreatedAt { get; init; }

    /// <summary>status.nodeInfo.operatingSystem, else the label kubernetes.io/os, else linux.</summary>
    public string OperatingSystem { get; init; } = "linux";

    /// <summary>spec.podCIDRs, else spec.podCIDR, as written: aligned or not.</summary>
    public ImmutableArray<Prefix> PodCidrs { get; init; } = [];

    /// <summary>podCIDRs that are not CIDRs, cut to 64 characters.</summary>
    public ImmutableArray<string> UnreadablePodCidrs { get; init; } = [];

    /// <summary>status.addresses of type InternalIP, in order; the first is the primary address.</summary>
    public ImmutableArray<Ip> InternalIPs { get; init; } = [];

    public ImmutableArray<Ip> ExternalIPs { get; init; } = [];

    /// <summary>Annotation hostgw.io/next-hop, at most one address per family; null: no annotation, empty: not valid.</summary>
    public ImmutableArray<Ip>? NextHopOverride { get; init; }

    /// <summary>Annotation hostgw.io/skip, false without it; null: its value is neither "true" nor "false".</summary>
    public bool? Skip { get; init; } = false;

    /// <summary>Only the labels whose keys the node selector names.</summary>
    public ImmutableArray<KeyValuePair<string, string>> Labels { get; init; } = [];

    /// <summary>status.conditions holds NetworkUnavailable, and not as False. Read on this node's own Node only.</summary>
    public bool NetworkUnavailable { get; init; }

    public bool IsWindows => OperatingSystem == "windows";
}

/// <summary>
/// metadata.uid. API servers write RFC 9562 UUIDs in lower case; one is 16 bytes here and would be 96 as text, of about 1,000 that a
/// node takes. Any other text is kept as it is. Equality and order are those of the texts, ordinal; the default value is the empty text.
/// </summary>
internal readonly record struct ObjectUid : IComparable<ObjectUid>
{
    private const int Length = 36;

    private readonly Guid _uuid;
    private readonly string? _other;

    private ObjectUid(ReadOnlySpan<char> text)
    {
        if (text.Length != Length || !Guid.TryParseExact(text, "D", out _uuid) || !Is(text))
            (_uuid, _other) = (default, text.IsEmpty ? null : text.ToString());
    }

    public bool IsEmpty => _other is null && _uuid == default;

    public static implicit operator ObjectUid(ReadOnlySpan<char> text) => new(text);

    public static implicit operator ObjectUid(string? text) => new(text);

    public bool Is(ReadOnlySpan<char> text)
    {
        Span<char> own = stackalloc char[Length];
        return _other is not null ? text.SequenceEqual(_other)
            : _uuid == default ? text.IsEmpty
            : _uuid.TryFormat(own, out _) && text.SequenceEqual(own);
    }

    // Of two UUIDs in lower case the order of the bytes is that of the texts.
    public int CompareTo(ObjectUid other) => _other is null && other._other is null && !IsEmpty && !other.IsEmpty
        ? _uuid.CompareTo(other._uuid)
        : string.CompareOrdinal(ToString(), other.ToString());

    public override string ToString() => IsEmpty ? "" : _other ?? _uuid.ToString();
}

/// <summary>A Kubernetes label selector over nodes: requirements that must all hold.</summary>
/// <remarks>https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors</remarks>
internal sealed record NodeSelector(ImmutableArray<LabelRequirement> Requirements)
{
    public static NodeSelector Everything { get; } = new(ImmutableArray<LabelRequirement>.Empty);

    public bool Matches(ClusterNode node)
    {
        foreach (LabelRequirement requirement in Requirements)
        {
            if (!requirement.Matches(node.Labels))
                return false;
        }
        return true;
    }

    /// <summary>Reads "a=b,c!=d,e,!f,g in (x,y),h notin (z)".</summary>
    /// <exception cref="FormatException">A requirement cannot be read; the message quotes it.</exception>
    public static NodeSelector Parse(string text)
    {
        var requirements = ImmutableArray.CreateBuilder<LabelRequirement>();
        foreach (string part in SplitOutsideParentheses(text))
            requirements.Add(LabelRequirement.Parse(part));
        return new(requirements.ToImmutable());
    }

    private static IEnumerable<string> SplitOutsideParentheses(string text)
    {
        int start = 0, depth = 0;
        for (int i = 0; i <= text.Length; i++)
        {
            char c = i < text.Length ? text[i] : ',';
            depth += c switch { '(' => 1, ')' => -1, _ => 0 };
            if (c != ',' || (depth > 0 && i < text.Length))
                continue;
            if (text[start..i].Trim() is { Length: > 0 } part)
                yield return part;
            start = i + 1;
        }
    }
}

/// <summary>One requirement of a label selector.</summary>
/// <param name="Values">The allowed values (forbidden if negated); empty: the key must exist (must not exist if negated).</param>
internal sealed record LabelRequirement(string Key, bool Negated, ImmutableArray<string> Values)
{
    // The characters of label keys and values. Anything else would be a key that no node has: a typing error.
    private static readonly SearchValues<char> LabelCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./");

    public bool Matches(ImmutableArray<KeyValuePair<string, string>> labels)
    {
        foreach (KeyValuePair<string, string> label in labels)
        {
            if (label.Key == Key)
                return (Values.IsEmpty || Values.Contains(label.Value)) != Negated;
        }
        return Negated;
    }

    /// <exception cref="FormatException">The text is not a requirement.</exception>
    public static LabelRequirement Parse(string text)
    {
        string[] words = text.Split(' ', 3, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (words is [string setKey, "in" or "notin", ['(', .., ')'] set])
            return Make(text, setKey, words[1] == "notin", set[1..^1].Split(',', StringSplitOptions.TrimEntries));

        int not = text.IndexOf("!=", StringComparison.Ordinal);
        if (not > 0)
            return Make(text, text[..not], negated: true, text[(not + 2)..].Trim());

        int equals = text.IndexOf('=');
        if (equals > 0)
            return Make(text, text[..equals], negated: false, text[(equals + 1)..].TrimStart('=').Trim());

        return text.StartsWith('!') ? Make(text, text[1..], negated: true) : Make(text, text, negated: false);
    }

    private static LabelRequirement Make(string text, string key, bool negated, params string[] values)
    {
        key = key.Trim();
        if (key.Length == 0 || !IsLabelText(key) || !values.All(IsLabelText))
            throw new FormatException($"'{text}' is not a label requirement (write key=value, key!=value, key, !key, key in (a,b))");
        return new(key, negated, [.. values]);
    }

    private static bool IsLabelText(string text) => !text.AsSpan().ContainsAnyExcept(LabelCharacters);
}
