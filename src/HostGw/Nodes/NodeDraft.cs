using System.Collections.Immutable;
using System.Runtime.InteropServices;
using HostGw.Kubernetes;
using HostGw.Planning;

namespace HostGw.Nodes;

/// <summary>A Node while it is decoded. A heartbeat is decoded and compared with the known node without allocating.</summary>
/// <remarks>Field numbers: staging/src/k8s.io/api/core/v1/generated.proto of Kubernetes.</remarks>
/// <param name="ownNode">This node's name, whose conditions are read; null: no node's are.</param>
internal sealed class NodeDraft(NodeSelector selector, string? ownNode = null) : ObjectDraft
{
    public const string OsLabel = "kubernetes.io/os";
    public const string NextHopAnnotation = "hostgw.io/next-hop";
    public const string SkipAnnotation = "hostgw.io/skip";

    /// <summary>A Node has at most one podCIDR per family and a few addresses; the rest is ignored.</summary>
    public const int MaxEntries = 256;

    /// <summary>Longest text kept of an unreadable podCIDR or of an operating system.</summary>
    public const int MaxText = 64;

    private const string Linux = "linux", Windows = "windows";

    private readonly DraftLabels _labels = new(selector);
    private readonly TextBuffer _osLabel = new(), _os = new();
    private readonly TextBuffer _entryType = new(), _entryValue = new();
    private readonly List<Ip> _internalIPs = [], _externalIPs = [], _nextHops = [];
    private bool? _skip;
    private bool _hasNextHop;

    // The numbers of nested messages (ObjectDraft).
    private enum Part
    {
        /// <summary>Of a field: it is skipped. As the message that holds the field: the Node itself.</summary>
        None,
        Spec,
        Status,
        Condition,
        Address,
        NodeInfo,
    }

    public override string Kind => "Node";

    public DraftPodCidrs PodCidrs { get; } = new();

    /// <summary>The condition NetworkUnavailable of the own node is there and not False.</summary>
    public bool NetworkUnavailable { get; private set; }

    public override void Clear()
    {
        base.Clear();
        _skip = _hasNextHop = NetworkUnavailable = false;
        _labels.Clear();
        _osLabel.Clear();
        _os.Clear();
        _nextHops.Clear();
        PodCidrs.Clear();
        _internalIPs.Clear();
        _externalIPs.Clear();
    }

    public override int Child(int message, int field) => (int)((Part)message switch
    {
        Part.None => field switch { 2 => Part.Spec, 3 => Part.Status, _ => Part.None },
        Part.Status => field switch
        {
            4 when ownNode is not null && Name.Is(ownNode) => Part.Condition,
            5 => Part.Address,
            7 => Part.NodeInfo,
            _ => Part.None,
        },
        _ => Part.None,
    });

    public override bool IsText(int message, int field) => ((Part)message, field) switch
    {
        (Part.Spec, 1 or 7) => true, // podCIDR, podCIDRs
        (Part.Condition or Part.Address, 1 or 2) => true, // type, and status or address
        (Part.NodeInfo, 9) => true, // operatingSystem
        _ => false,
    };

    public override void Text(int message, int field, ReadOnlySpan<char> text, bool isCut)
    {
        if ((Part)message == Part.Spec && field == 1)
            PodCidrs.SetSingle(text);
        else if ((Part)message == Part.Spec)
            PodCidrs.Add(text);
        else if (isCut)
            return;
        else if ((Part)message == Part.NodeInfo)
            SetOperatingSystem(text);
        else
            (field == 1 ? _entryType : _entryValue).Set(text);
    }

    public override void Begin(int message)
    {
        _entryType.Clear();
        _entryValue.Clear();
    }

    public override void End(int message)
    {
        if ((Part)message == Part.Address)
            AddAddress(_entryType.Span, _entryValue.Span);
        else if ((Part)message == Part.Condition && _entryType.Is("NetworkUnavailable"))
            NetworkUnavailable = !_entryValue.Is("False");
    }

    /// <summary>An entry of status.addresses. Host names and unreadable addresses are left out.</summary>
    public void AddAddress(ReadOnlySpan<char> type, ReadOnlySpan<char> text)
    {
        List<Ip>? addresses = type switch { "InternalIP" => _internalIPs, "ExternalIP" => _externalIPs, _ => null };
        if (addresses is { Count: < MaxEntries } && Ip.TryParse(text, out Ip ip))
            addresses.Add(ip);
    }

    public void SetOperatingSystem(ReadOnlySpan<char> text) => _os.Set(Cut(text));

    public override void SetLabel(ReadOnlySpan<char> key, ReadOnlySpan<char> value)
    {
        if (key.SequenceEqual(OsLabel))
            _osLabel.Set(Cut(value));
        _labels.Set(key, value);
    }

    public override bool ReadsAnnotation(ReadOnlySpan<char> key) => key is NextHopAnnotation or SkipAnnotation;

    public override void SetAnnotation(ReadOnlySpan<char> key, ReadOnlySpan<char> value, bool isCut)
    {
        if (key is NextHopAnnotation)
            SetNextHop(isCut ? "" : value);
        else if (!isCut)
            SetSkip(value);
    }

    /// <summary>Annotation hostgw.io/next-hop; empty, or text with one address that cannot be read, means that none may be used.</summary>
    public void SetNextHop(ReadOnlySpan<char> text)
    {
        _hasNextHop = true;
        _nextHops.Clear();
        foreach (Range range in text.Split(','))
        {
            if (!Ip.TryParse(text[range].Trim(), out Ip ip) ||
                (_nextHops is [Ip other, ..] && (other.IsIPv4 == ip.IsIPv4 || _nextHops.Count == 2)))
            {
                _nextHops.Clear();
                return;
            }
            _nextHops.Add(ip);
        }
    }

    /// <summary>Annotation hostgw.io/skip.</summary>
    public void SetSkip(ReadOnlySpan<char> text) => _skip = text switch { "true" => true, "false" => false, _ => null };

    public override void Complete() => PodCidrs.Complete();

    /// <summary>Planning would see no difference.</summary>
    public bool Matches(ClusterNode node) =>
        Name.Is(node.Name) && node.Uid.Is(Uid.Span) && CreatedAt == node.CreatedAt && _skip == node.Skip &&
        NetworkUnavailable == node.NetworkUnavailable &&
        OperatingSystem().SequenceEqual(node.OperatingSystem) &&
        PodCidrs.Matches(node) &&
        Same(_internalIPs, node.InternalIPs) && Same(_externalIPs, node.ExternalIPs) &&
        _hasNextHop == node.NextHopOverride.HasValue && Same(_nextHops, node.NextHopOverride ?? []) &&
        _labels.SequenceEqual(node.Labels);

    public ClusterNode Build() => new()
    {
        Name = Name.ToString(),
        Uid = Uid.Span,
        CreatedAt = CreatedAt,
        OperatingSystem = Shared(OperatingSystem()),
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
        Normal(!_os.IsEmpty ? _os.Span : _osLabel.Span);

    // Lower case for the two that are known, linux for none, anything else as it is.
    private static ReadOnlySpan<char> Normal(ReadOnlySpan<char> name) =>
        name.IsEmpty || name.Equals(Linux, StringComparison.OrdinalIgnoreCase) ? Linux
        : name.Equals(Windows, StringComparison.OrdinalIgnoreCase) ? Windows
        : name;

    private static string Shared(ReadOnlySpan<char> normal) =>
        normal.SequenceEqual(Linux) ? Linux : normal.SequenceEqual(Windows) ? Windows : normal.ToString();

    // Never half of a surrogate pair.
    internal static ReadOnlySpan<char> Cut(ReadOnlySpan<char> text) =>
        text.Length <= MaxText ? text : text[..(char.IsHighSurrogate(text[MaxText - 1]) ? MaxText - 1 : MaxText)];

    private static bool Same(List<Ip> read, ImmutableArray<Ip> known) =>
        CollectionsMarshal.AsSpan(read).SequenceEqual(known.AsSpan());
}
