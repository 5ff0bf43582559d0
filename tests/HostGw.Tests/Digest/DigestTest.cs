using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using HostGw.FakeApi;
using HostGw.Tests.FakeApi;

namespace HostGw.Tests.Digest;

/// <summary>An API server, and what is in its shards, computed without the program's own code.</summary>
public abstract class DigestTest : FakeApiTest
{
    private const string Namespace = "hostgw-digest";

    protected override FakeApiOptions Options => new() { BookmarkPeriod = TimeSpan.FromMilliseconds(50) };

    internal static string Name(int shard) => $"hostgw-nodes-{shard:000}";

    internal static int Home(string node) =>
        (int)(BinaryPrimitives.ReadUInt32BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(node))) % 512);

    internal static bool IsWrite(RequestRecord request) =>
        request.Method is "POST" or "PUT" && request.Path.Contains("/configmaps", StringComparison.Ordinal);

    internal static bool IsWriteOf(RequestRecord request, int shard) =>
        request.Method == "PUT" && request.Path.EndsWith(Name(shard), StringComparison.Ordinal);

    internal RequestRecord[] Writes => [.. Api.Requests.Where(IsWrite)];

    internal JsonNode? Data(int shard) =>
        Api.Objects.Get("ConfigMap", Namespace, Name(shard)) is { } json ? JsonNode.Parse(json)!["data"] : null;

    internal string Value(int shard, string key) => Data(shard)?[key]?.GetValue<string>() ?? "";

    internal string Lines(int shard) => Value(shard, "nodes");

    internal void Edit(int shard, Action<JsonObject> change)
    {
        JsonObject content = JsonNode.Parse(Api.Objects.Get("ConfigMap", Namespace, Name(shard))!)!.AsObject();
        change(content);
        Api.Objects.Put(content);
    }

    internal void EditData(int shard, Action<JsonObject> change) => Edit(shard, content => change(content["data"]!.AsObject()));

    internal static string Sum(string lines) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(lines)));

    internal void Delete(int shard) => Assert.True(Api.Objects.Delete("ConfigMap", Namespace, Name(shard)));

    internal async Task<RunningDigest> RunAsync(params string[] labels)
    {
        RunningDigest digest = await new RunningDigest(Api, labels).StartAsync();
        await CurrentAsync(digest);
        return digest;
    }

    /// <summary>All shards are as the digest's Nodes require, and these are the server's.</summary>
    internal async Task CurrentAsync(params RunningDigest[] digests)
    {
        foreach (RunningDigest digest in digests)
        {
            await EventuallyAsync(
                () => digest.State.Current == 512 && digest.Store.Count == Api.Nodes.Count && Fault() is null,
                () => $"{digest.State}; {Fault()}\n{string.Join('\n', digest.Log.Take())}");
        }
    }

    /// <summary>What is wrong in the shards; null: nothing.</summary>
    internal string? Fault()
    {
        List<string> names = [];
        for (int shard = 0; shard < 512; shard++)
        {
            if (Data(shard) is not { } data)
                return $"there is no shard {shard}";
            string lines = Lines(shard);
            string[] inShard = [.. lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split('\t')[0])];
            if (Value(shard, "format") != "1" || Value(shard, "shard") != $"{shard:000}" || Value(shard, "sum") != Sum(lines) ||
                inShard.Any(n => Home(n) != shard) || !inShard.SequenceEqual(inShard.Order(StringComparer.Ordinal)))
                return $"shard {shard} is {data}";
            names.AddRange(inShard);
        }
        string[] wanted = [.. Api.Nodes.Names.Order(StringComparer.Ordinal)];
        return names.Order(StringComparer.Ordinal).SequenceEqual(wanted) ? null
            : $"the shards hold {string.Join(' ', names)} and not {string.Join(' ', wanted)}";
    }
}
