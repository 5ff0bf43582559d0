using System.Globalization;
using System.Text;
using HostGw.Digest;
using HostGw.Planning;

namespace HostGw.Tests.Digest;

/// <summary>Shards as a digest writes them, and as somebody else might.</summary>
internal static class ShardText
{
    /// <summary>The data of the ConfigMap.</summary>
    public static Dictionary<string, string> Data(int shard, IEnumerable<ClusterNode> nodes, string labels = "", long source = 100)
    {
        string lines = Lines(nodes);
        return new()
        {
            ["format"] = "1",
            ["shard"] = shard.ToString("000", CultureInfo.InvariantCulture),
            ["source"] = source.ToString(CultureInfo.InvariantCulture),
            ["labels"] = labels,
            ["sum"] = ShardFormat.Sum(Encoding.UTF8.GetBytes(lines)),
            ["nodes"] = lines,
        };
    }

    /// <summary>Other lines, with the sum that belongs to them.</summary>
    public static Dictionary<string, string> With(Dictionary<string, string> data, string lines) => new(data)
    {
        ["nodes"] = lines,
        ["sum"] = ShardFormat.Sum(Encoding.UTF8.GetBytes(lines)),
    };

    public static string Lines(IEnumerable<ClusterNode> nodes)
    {
        StringBuilder text = new();
        foreach (ClusterNode node in nodes.OrderBy(n => n.Name, StringComparer.Ordinal))
        {
            NodeLine.Write(text, node);
            text.Append('\n');
        }
        return text.ToString();
    }

    /// <summary>As the decoder fills the draft.</summary>
    public static void Fill(ShardDraft draft, string name, long version, IReadOnlyDictionary<string, string> data)
    {
        const int Entry = 1, Key = 1, Value = 2;
        draft.Clear();
        draft.Name.Set(name);
        draft.ResourceVersion.Set(version.ToString(CultureInfo.InvariantCulture));
        foreach ((string key, string value) in data)
        {
            draft.Begin(Entry);
            draft.Text(Entry, Key, key, isCut: false);
            if (draft.IsText(Entry, Value))
                draft.Text(Entry, Value, value.AsSpan(0, Math.Min(value.Length, 1024)), value.Length > 1024);
            else if (draft.IsStreamed(Entry, Value))
                Stream(draft, Encoding.UTF8.GetBytes(value));
            draft.End(Entry);
        }
        draft.Complete();
    }

    /// <summary>A name whose home is this shard.</summary>
    public static string NameIn(int shard, int from = 0)
    {
        while (ShardFormat.Home($"n{from}") != shard)
            from++;
        return $"n{from}";
    }

    private static void Stream(ShardDraft draft, byte[] bytes)
    {
        const int Piece = 1000;
        for (int i = 0; i < bytes.Length; i += Piece)
            draft.Bytes(bytes.AsSpan(i, Math.Min(Piece, bytes.Length - i)));
    }
}
