using System.Collections.Immutable;
using System.Runtime.InteropServices;
using HostGw.Planning;

namespace HostGw.Nodes;

/// <summary>A Node while it is being read. One draft serves all nodes of a stream: a heartbeat is read and compared without allocating.</summary>
/// <remarks>A decoder calls <see cref="Clear"/>, sets what it finds in any order, and ends with <see cref="Complete"/>.</remarks>
internal sealed class NodeDraft(NodeSelector selector)
{
    public const string OsLabel = "kubernetes.io/os";
    public const string NextHopAnnotation = "hostgw.io/next-hop";
    public const string SkipAnnotation = "hostgw.io/skip";

    /// <summary>A Node has at most one podCIDR per family and a few addresses; more than this is noise.</summary>
    public const int MaxEntries = 256;

    /// <summary>Longest text kept of what could not be read, or of an operating system.</summary>
    public const int MaxText = 64;

    private readonly DraftLabels _labels = new(selector);
    private readonly TextBuffer _osLabel = new(), _os = new();
    private readonly List<Ip> _internalIPs = [], _externalIPs = [], _nextHops = [];
    private bool? _skip;
    private bool _hasNextHop;

    public TextBuffer Name { get; } = new();

    public TextBuffer Uid { get; } = new();

    public TextBuffer ResourceVersion { get; } = new();

    public DraftPodCidrs PodCidrs { get; } = new();

    public bool NetworkUnavailable { get; set; }

    /// <summary>Unix seconds; a node whose age cannot be read is the youngest.</summary>
    public long CreatedAt { get; set; }

    public void Clear()
    {
        Name.Clear();
        Uid.Clear();
        ResourceVersion.Clear();
        CreatedAt = long.MaxValue;
        NetworkUnavailable = false;
        _skip = _hasNextHop = false;
        _labels.Clear();
        _osLabel.Clear();
        _os.Clear();
        _nextHops.Clear();
        PodCidrs.Clear();
        ClearAddresses();
    }

    public void ClearAddresses()
    {
        _internalIPs.Clear();
        _externalIPs.Clear();
    }

    /// <summary>An entry of status.addresses. Host names and text that is no address are left out.</summary>
    public void AddAddress(NodeAddressType type, ReadOnlySpan<char> text)
    {
        if (type == NodeAddressType.Other || !Ip.TryParse(text, out Ip ip))
            return;
        List<Ip> addresses = type == NodeAddressType.InternalIP ? _internalIPs : _externalIPs;
        if (addresses.Count < MaxEntries)
            addresses.Add(ip);
    }

    public void SetOperatingSystem(ReadOnlySpan<char> text) => _os.Set(Cut(text));

    public void SetLabel(ReadOnlySpan<char> key, ReadOnlySpan<char> value)
    {
        if (key.SequenceEqual(OsLabel))
            _osLabel.Set(Cut(value));
        _labels.Set(key, value);
    }

    /// <summary>Annotation hostgw.io/next-hop; empty, or text with one address that cannot be read, means that none may be used.</summary>
    public void SetNextHop(ReadOnlySpan<char> text)
    {
        _hasNextHop = true;
        _nextHops.Clear();
        foreach (Range range in text.Split(','))
        {
            if (!Ip.TryParse(text[range].Trim(), out Ip ip) || (_nextHops is [Ip other, ..] && (other.IsIPv4 == ip.IsIPv4 || _nextHops.Count == 2)))
            {
                _nextHops.Clear();
                return;
            }
            _nextHops.Add(ip);
        }
    }

    /// <summary>Annotation hostgw.io/skip.</summary>
    public void SetSkip(ReadOnlySpan<char> text) => _skip = text switch { "true" => true, "false" => false, _ => null };

    public void Complete() => PodCidrs.Complete();

    /// <summary>Whether planning would see no difference.</summary>
    public bool Matches(ClusterNode node) =>
        Name.Is(node.Name) && Uid.Is(node.Uid) && CreatedAt == node.CreatedAt && _skip == node.Skip &&
        NetworkUnavailable == node.NetworkUnavailable &&
        OperatingSystem().SequenceEqual(node.OperatingSystem) &&
        PodCidrs.Matches(node) &&
        Same(_internalIPs, node.InternalIPs) && Same(_externalIPs, node.ExternalIPs) &&
        _hasNextHop == node.NextHopOverride.HasValue && Same(_nextHops, node.NextHopOverride ?? []) &&
        _labels.SequenceEqual(node.Labels);

    public ClusterNode Build() => new()
    {
        Name = Name.ToString(),
        Uid = Uid.ToString(),
        CreatedAt = CreatedAt,
        OperatingSystem = OperatingSystemNames.Intern(OperatingSystem()),
        PodCidrs = PodCidrs.Prefixes(),
        UnreadablePodCidrs = PodCidrs.Unreadable(),
        InternalIPs = [.. _internalIPs],
        ExternalIPs = [.. _externalIPs],
        NextHopOverride = _hasNextHop ? [.. _nextHops] : null,
        Skip = _skip,
        Labels = _labels.ToImmutable(),
        NetworkUnavailable = NetworkUnavailable,
    };

    private ReadOnlySpan<char> OperatingSystem() =>
        OperatingSystemNames.Normal(!_os.IsEmpty ? _os.Span : _osLabel.Span);

    // Half a surrogate pair is no text.
    internal static ReadOnlySpan<char> Cut(ReadOnlySpan<char> text) =>
        text.Length <= MaxText ? text : text[..(char.IsHighSurrogate(text[MaxText - 1]) ? MaxText - 1 : MaxText)];

    private static bool Same(List<Ip> read, ImmutableArray<Ip> known) =>
        CollectionsMarshal.AsSpan(read).SequenceEqual(known.AsSpan());
}
