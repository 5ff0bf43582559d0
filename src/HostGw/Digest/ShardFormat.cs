using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using HostGw.Planning;

namespace HostGw.Digest;

/// <summary>
/// Format 1 of the node digest: 512 ConfigMaps that hold what planning needs of all Nodes. The count belongs to the format: another one
/// would move almost every node, and no group of ConfigMaps changes atomically.
/// </summary>
internal static class ShardFormat
{
    public const int Count = 512;

    public const string Version = "1";

    public const string Namespace = DigestHealth.Namespace;

    /// <summary>The Lease that the digest renews while it watches Nodes.</summary>
    public const string Lease = "hostgw-digest";

    public const string LabelKey = "hostgw.io/part", LabelValue = "nodes";

    /// <summary>The keys of a shard's data.</summary>
    public const string FormatKey = "format", ShardKey = "shard", SourceKey = "source", LabelsKey = "labels", SumKey = "sum",
        NodesKey = "nodes";

    /// <summary>Longest list of label keys, in bytes.</summary>
    public const int MaxLabels = 1024;

    /// <summary>Longest text of nodes, in bytes: the API server takes no larger ConfigMap.</summary>
    /// <remarks>MaxSecretSize, kubernetes pkg/apis/core/types.go.</remarks>
    public const int MaxNodes = 1024 * 1024;

    /// <summary>Most nodes of a shard: enough for a million nodes, and a bound of what a hostile shard can allocate.</summary>
    public const int MaxLines = 4096;

    private const string Prefix = "hostgw-nodes-";

    /// <summary>The collection of shards in the API, and the query that selects them.</summary>
    public const string Path = $"/api/v1/namespaces/{Namespace}/configmaps", Query = "labelSelector=hostgw.io%2Fpart%3Dnodes";

    /// <summary>The name of the ConfigMap: hostgw-nodes-000 to hostgw-nodes-511.</summary>
    public static string Name(int shard) => Prefix + Number(shard);

    /// <summary>The value of the key `shard`: three digits.</summary>
    public static string Number(int shard) => shard.ToString("000", CultureInfo.InvariantCulture);

    /// <summary>False: it is no shard.</summary>
    public static bool TryParseName(ReadOnlySpan<char> name, out int shard)
    {
        shard = -1;
        return name.Length == Prefix.Length + 3 && name.StartsWith(Prefix) &&
            int.TryParse(name[Prefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out shard) && shard < Count;
    }

    /// <summary>The shard of a node: the first 32 bits of SHA-256 of its name, modulo 512.</summary>
    public static int Home(ReadOnlySpan<char> node)
    {
        Span<byte> text = stackalloc byte[Encoding.UTF8.GetMaxByteCount(node.Length)];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(text[..Encoding.UTF8.GetBytes(node, text)], hash);
        return (int)(BinaryPrimitives.ReadUInt32BigEndian(hash) % Count);
    }

    /// <summary>The value of the key `sum`: SHA-256 of `nodes`, in lower-case hexadecimal digits.</summary>
    public static string Sum(ReadOnlySpan<byte> nodes) => Convert.ToHexStringLower(SHA256.HashData(nodes));

    /// <summary>The value of the key `labels`: the label keys that the lines may carry, sorted.</summary>
    public static string Labels(IEnumerable<string> keys) =>
        string.Join(',', keys.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));
}
