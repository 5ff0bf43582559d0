using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using HostGw.Planning;

namespace HostGw.Nodes;

/// <summary>The nodes as last known, for a start without the API server.</summary>
/// <param name="At">When they were last known to be current.</param>
/// <param name="ApiServer">The API server's address at that time; none if unknown. No route may cover it.</param>
internal sealed record SavedNodes(ImmutableArray<ClusterNode> Nodes, string ResourceVersion, DateTimeOffset At, Ip ApiServer)
{
    /// <summary>Further addresses of the API servers.</summary>
    public ImmutableArray<IPEndPoint> ApiServers { get; init; } = [];

    /// <summary>The service networks that the API named.</summary>
    public ImmutableArray<Prefix> ServiceCidrs { get; init; } = [];

    /// <summary>
    /// How old nodes among them may be, where a part of the digest had never been read: some may be of an earlier file. Null: all was read.
    /// </summary>
    public DateTimeOffset? PartialFrom { get; init; }
}

/// <summary>The saved nodes cannot be used, or nodes cannot be saved.</summary>
internal sealed class SavedNodesException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The file of saved nodes in the state directory: one JSON document, and a line with its SHA-256.</summary>
internal sealed class SavedNodesFile(string directory, NodeSelector selector)
{
    /// <summary>Enough for 100,000 nodes.</summary>
    public const int MaxBytes = 64 * 1024 * 1024;

    /// <summary>Older ones are useless: addresses and podCIDRs have been assigned to other nodes.</summary>
    public static readonly TimeSpan LongestAge = TimeSpan.FromHours(24);

    private const int Format = 2, HashDigits = 64;

    // Clocks differ, and are set back.
    private static readonly TimeSpan FarthestAhead = TimeSpan.FromHours(1);

    private readonly string _temporary = System.IO.Path.Combine(directory, OwnFiles.Nodes + OwnFiles.NewNodes);

    public string Path { get; } = System.IO.Path.Combine(directory, OwnFiles.Nodes);

    // Only labels that the selector names are kept: under another selector peers would seem to have lost theirs.
    private string LabelKeys => string.Join(',', selector.Requirements.Select(r => r.Key).Distinct(StringComparer.Ordinal));

    /// <exception cref="SavedNodesException">It cannot be written; the one before is kept.</exception>
    public void Write(SavedNodes saved) => Write(stream => Write(stream, saved));

    /// <exception cref="SavedNodesException">It cannot be written; the one before is kept.</exception>
    public void Write(Action<Stream> write)
    {
        try
        {
            StateDirectory.Make(directory);
            AtomicFile.Write(Path, _temporary, write);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SavedNodesException(e.Message, e);
        }
    }

    /// <summary>Null if there is none.</summary>
    /// <exception cref="SavedNodesException">It cannot be read, is damaged, too old, or of another version or selector.</exception>
    public SavedNodes? Read(DateTimeOffset now)
    {
        try
        {
            FileInfo file = new(Path);
            if (!file.Exists)
                return null;
            if (StateDirectory.Rejection(directory, Path) is { Length: > 0 } rejection)
                throw new SavedNodesException(rejection);
            // A pipe or device has no length, and reading it might never end.
            if (file.Length is 0 or > MaxBytes)
                throw new SavedNodesException($"its size is {file.Length} bytes");
            byte[] content = File.ReadAllBytes(Path);
            return content.Length <= MaxBytes ? Parse(content, now) : throw new SavedNodesException("it grows while it is read");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SavedNodesException(e.Message, e);
        }
    }

    /// <summary>What may replace a part of the digest that cannot be read. Null: there is none, or nodes in it may be too old.</summary>
    public SavedNodes? LastKnown(TimeProvider time)
    {
        try
        {
            DateTimeOffset now = time.GetUtcNow();
            return Read(now) is { } saved && !(now - saved.PartialFrom > LongestAge) ? saved : null;
        }
        catch (SavedNodesException)
        {
            // A start without the API server would say why.
            return null;
        }
    }

    /// <summary>Removes it; returns whether it was there.</summary>
    /// <exception cref="SavedNodesException">It cannot be removed.</exception>
    public bool Remove()
    {
        try
        {
            bool existed = File.Exists(Path);
            if (existed)
                File.Delete(Path);
            if (File.Exists(_temporary))
                File.Delete(_temporary);
            return existed;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SavedNodesException(e.Message, e);
        }
    }

    public void Write(Stream stream, SavedNodes saved)
    {
        using SHA256 hash = SHA256.Create();
        using CryptoStream hashing = new(stream, hash, CryptoStreamMode.Write, leaveOpen: true);
        JsonSerializer.Serialize(hashing, SavedNodesDocument.Of(saved, Format, LabelKeys), SavedNodesJson.Default.SavedNodesDocument);
        hashing.Write("\n"u8);
        hashing.FlushFinalBlock();
        stream.Write(Encoding.ASCII.GetBytes($"{Convert.ToHexStringLower(hash.Hash!)}\n"));
    }

    /// <exception cref="SavedNodesException">It is damaged, too old, or of another version or selector.</exception>
    public SavedNodes Parse(ReadOnlyMemory<byte> content, DateTimeOffset now)
    {
        SavedNodesDocument? document;
        try
        {
            if (content.Span.StartsWith("hostgw-nodes "u8))
                throw new SavedNodesException("another version of HostGw wrote it");
            document = JsonSerializer.Deserialize(Verified(content).Span, SavedNodesJson.Default.SavedNodesDocument);
        }
        catch (JsonException e)
        {
            throw new SavedNodesException(e.Message, e);
        }
        if (document?.Format != Format)
            throw new SavedNodesException("another version of HostGw wrote it");
        if (document.LabelKeys != LabelKeys)
            throw new SavedNodesException("the setting nodeSelector has changed since");
        RequireRecent(document.At, now);
        return document.ToSavedNodes(selector);
    }

    // The end of a file is what a crash or a full disk removes.
    private static ReadOnlyMemory<byte> Verified(ReadOnlyMemory<byte> content)
    {
        int length = content.Length - HashDigits - 1;
        if (length <= 0 || content.Span[^1] != '\n')
            throw new SavedNodesException("it breaks off");
        string hash = Convert.ToHexStringLower(SHA256.HashData(content.Span[..length]));
        return Encoding.ASCII.GetBytes(hash).AsSpan().SequenceEqual(content.Span[length..^1])
            ? content[..length]
            : throw new SavedNodesException("its checksum is wrong");
    }

    private static void RequireRecent(DateTimeOffset at, DateTimeOffset now)
    {
        if (now - at > LongestAge)
            throw new SavedNodesException($"it was written at {Rfc3339.Text(at)}, more than {LongestAge.TotalHours:0} h ago");
        if (at - now > FarthestAhead)
            throw new SavedNodesException($"it was written at {Rfc3339.Text(at)}, which is in the future: a clock was set");
    }
}

/// <summary>The JSON document.</summary>
internal sealed record SavedNodesDocument(
    int Format, DateTimeOffset At, string LabelKeys, string ResourceVersion, string? ApiServer)
{
    public string[] ApiServers { get; init; } = [];

    public string[] ServiceCidrs { get; init; } = [];

    public DateTimeOffset? PartialFrom { get; init; }

    public IEnumerable<SavedNode> Nodes { get; init; } = [];

    public static SavedNodesDocument Of(SavedNodes saved, int format, string labelKeys) =>
        new(format, saved.At, labelKeys, saved.ResourceVersion, saved.ApiServer.IsNone ? null : saved.ApiServer.ToString())
        {
            ApiServers = [.. saved.ApiServers.Select(a => a.ToString())],
            ServiceCidrs = [.. saved.ServiceCidrs.Select(c => c.ToString())],
            PartialFrom = saved.PartialFrom,
            Nodes = saved.Nodes.Select(SavedNode.Of),
        };

    public SavedNodes ToSavedNodes(NodeSelector selector)
    {
        NodeDraft draft = new(selector);
        Dictionary<string, ClusterNode> nodes = new(StringComparer.Ordinal);
        foreach (SavedNode? node in Nodes ?? [])
        {
            if (node is { Name.Length: > 0 })
                nodes[node.Name] = node.ToClusterNode(draft);
        }
        _ = Ip.TryParse(ApiServer, out Ip server);
        return new([.. nodes.Values.OrderBy(n => n.Name, StringComparer.Ordinal)], ResourceVersion ?? "", At, server)
        {
            ApiServers =
            [
                .. (ApiServers ?? []).Select(a => IPEndPoint.TryParse(a ?? "", out IPEndPoint? e) ? e : null).OfType<IPEndPoint>(),
            ],
            ServiceCidrs = [.. (ServiceCidrs ?? []).Select(c => Prefix.TryParse(c, out Prefix p) ? p : (Prefix?)null).OfType<Prefix>()],
            PartialFrom = PartialFrom,
        };
    }
}

/// <summary>What planning needs of a Node. What is read passes through the draft that also decodes the API server's Nodes.</summary>
internal sealed record SavedNode(string Name, string? Uid)
{
    /// <summary>Unix seconds; null if unknown.</summary>
    public long? CreatedAt { get; init; }

    public string? OperatingSystem { get; init; }

    public string?[]? PodCidrs { get; init; }

    public string?[]? InternalIPs { get; init; }

    public string?[]? ExternalIPs { get; init; }

    /// <summary>The annotation hostgw.io/next-hop; empty if it was unreadable.</summary>
    public string? NextHop { get; init; }

    /// <summary>The annotation hostgw.io/skip; empty if it was unreadable.</summary>
    public string? Skip { get; init; }

    public Dictionary<string, string?>? Labels { get; init; }

    public static SavedNode Of(ClusterNode node) => new(node.Name, node.Uid.ToString())
    {
        CreatedAt = node.CreatedAt == long.MaxValue ? null : node.CreatedAt,
        OperatingSystem = node.OperatingSystem,
        PodCidrs = [.. node.PodCidrs.Select(p => p.ToString()), .. node.UnreadablePodCidrs],
        InternalIPs = [.. node.InternalIPs.Select(ip => ip.ToString())],
        ExternalIPs = [.. node.ExternalIPs.Select(ip => ip.ToString())],
        NextHop = node.NextHopOverride is { } nextHops ? string.Join(',', nextHops) : null,
        Skip = node.Skip switch { true => "true", false => null, null => "" },
        Labels = node.Labels.IsEmpty ? null : node.Labels.ToDictionary(l => l.Key, string? (l) => l.Value),
    };

    public ClusterNode ToClusterNode(NodeDraft draft)
    {
        draft.Clear();
        draft.Name.Set(Name);
        draft.Uid.Set(Uid);
        draft.CreatedAt = CreatedAt ?? long.MaxValue;
        draft.SetOperatingSystem(OperatingSystem);
        foreach (string? cidr in PodCidrs ?? [])
            draft.PodCidrs.Add(cidr);
        foreach (string? address in InternalIPs ?? [])
            draft.AddAddress("InternalIP", address);
        foreach (string? address in ExternalIPs ?? [])
            draft.AddAddress("ExternalIP", address);
        if (NextHop is not null)
            draft.SetAnnotation(NodeDraft.NextHopAnnotation, NextHop, isCut: false);
        if (Skip is not null)
            draft.SetAnnotation(NodeDraft.SkipAnnotation, Skip, isCut: false);
        foreach ((string key, string? value) in Labels ?? [])
            draft.SetLabel(key, value);
        draft.Complete();
        return draft.Build();
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SavedNodesDocument))]
internal sealed partial class SavedNodesJson : JsonSerializerContext;
