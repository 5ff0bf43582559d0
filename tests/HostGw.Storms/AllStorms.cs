using System.Diagnostics;
using System.Text.Json.Nodes;
using HostGw.Digest;
using HostGw.FakeApi;
using HostGw.Lab;
using HostGw.Lab.Interop;

namespace HostGw.Storms;

/// <summary>
/// All storms. Each ends in the state that a fresh computation from the Nodes gives, in every reader and in the agent's kernel, and none
/// costs more bytes and events than the protocol says. How long it takes is the machine's affair.
/// </summary>
internal static class AllStorms
{
    // A digest writes a shard at most once a second: after so long a change that it saw would have been written.
    private static readonly TimeSpan PastAWrite = TimeSpan.FromSeconds(3);

    // What a line of a shard has, at most; and what a ConfigMap has in a watch event, in addition to its lines.
    private const int Line = 200, Envelope = 1_200;

    // Of one watcher: a watch lasts 8 minutes at least, and no storm 16.
    private const int MostChecks = 2;

    // Of the digest, and what is kept open for a while.
    private const int FewConnections = 20;

    // Of lists: requests that were repeated, for the machine was slow. A streaming list has more bytes around each object than a page.
    private const double Tolerance = 1.1, StreamingTolerance = 1.25;

    public static IReadOnlyList<Storm> All { get; } =
    [
        new("restart", RestartAsync),
        new("join", JoinAsync),
        new("heartbeats", HeartbeatsAsync),
        new("away", AwayAsync),
        new("hands", HandsAsync),
    ];

    /// <summary>All agents restart at once: each lists once, and nobody else hears of it.</summary>
    private static async Task RestartAsync(StormSite site, StormReport report)
    {
        long list = await site.ListBytesAsync();
        await site.Agent.StopAsync();
        await site.Readers.StopAsync();
        await Eventually.TrueAsync(
            () => site.Api.OpenConnections < FewConnections, () => $"{site.Api.OpenConnections} connections are open",
            site.Settings.Deadline);
        Sent before = site.Shards;
        site.Agent.Start();
        await site.Readers.StartAsync();
        report.Note($"all know everything after {(await site.SettleAsync()).TotalSeconds:0} s");
        Sent sent = site.Shards.Since(before);
        report.AtMost("lists", sent.Lists, (site.Readers.Count + 1) * Tolerance);
        report.AtMost("MB of lists", sent.ListBytes / 1e6, (site.Readers.Count + 1) * list * StreamingTolerance / 1e6);
        report.Exactly("writes", sent.Writes, 0);
        report.Exactly("events", sent.Events, 0);
    }

    /// <summary>Many nodes join: each is one write at most, which every agent gets once.</summary>
    private static async Task JoinAsync(StormSite site, StormReport report)
    {
        StormSettings settings = site.Settings;
        NodeSpec[] joining = [.. Enumerable.Range(settings.Nodes + 1, settings.Joins).Select(i => NodeFactory.Node(i))];
        Sent before = site.Shards;
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < joining.Length; i++)
        {
            site.Api.Nodes.Put(joining[i]);
            TimeSpan early = settings.JoinTime * (i + 1) / joining.Length - Stopwatch.GetElapsedTime(start);
            if (early > TimeSpan.Zero)
                await Task.Delay(early);
        }
        report.Note($"all know the last {(await site.SettleAsync()).TotalSeconds:0.0} s after it joined");
        Sent sent = site.Shards.Since(before);
        report.AtMost("writes", sent.Writes, settings.Joins);
        Expect(site, report, sent, sent.Writes);
        double perShard = Line * (settings.Nodes + settings.Joins) / (double)ShardFormat.Count;
        report.AtMost("bytes of a join for an agent", sent.WatchBytes / (double)site.Watchers / settings.Joins, perShard + Envelope);
        Delete(site, joining);
        await site.SettleAsync();
    }

    /// <summary>Every kubelet reports: the digest gets it, and each agent its own Node alone.</summary>
    private static async Task HeartbeatsAsync(StormSite site, StormReport report)
    {
        Sent shards = site.Shards, nodes = site.Api.Sent("nodes");
        foreach (string name in site.Api.Nodes.Names)
            site.Api.Nodes.Heartbeat(name);
        long expected = site.Api.Nodes.Count + site.Readers.Own + 1;
        await Eventually.TrueAsync(
            () => site.Api.Sent("nodes").Since(nodes).Events >= expected,
            () => $"{site.Api.Sent("nodes").Since(nodes).Events} of {expected} heartbeats were sent", site.Settings.Deadline);
        await Task.Delay(PastAWrite);
        await site.SettleAsync();
        Sent sent = site.Shards.Since(shards);
        report.Exactly("writes", sent.Writes, 0);
        report.Exactly("events of shards", sent.Events, 0);
        report.Exactly("events of Nodes", site.Api.Sent("nodes").Since(nodes).Events, expected);
    }

    /// <summary>The digest is away while nodes come and go: what is installed stays. Back, it writes what changed, and that once.</summary>
    private static async Task AwayAsync(StormSite site, StormReport report)
    {
        int changes = Math.Max(1, site.Settings.Joins / 5), last = site.Settings.Nodes;
        NodeSpec[] leaving = [.. Enumerable.Range(last + 1, changes).Select(i => NodeFactory.Node(i))];
        NodeSpec[] joining = [.. Enumerable.Range(last + changes + 1, changes).Select(i => NodeFactory.Node(i))];
        site.Api.Nodes.Put(leaving);
        await site.SettleAsync();
        Sent before = site.Shards;
        await site.Digest.StopAsync();
        site.Api.Nodes.Put(joining);
        Delete(site, leaving);
        await Task.Delay(site.Settings.Away);
        report.Holds("while the digest is away", await site.DifferenceAsync());
        report.Exactly("events while it is away", site.Shards.Since(before).Events, 0);

        site.Digest.Start();
        report.Note($"all are right {(await site.SettleAsync()).TotalSeconds:0.0} s after its start");
        Sent sent = site.Shards.Since(before);
        report.AtMost("writes", sent.Writes, 2 * changes);
        // The digest itself lists the shards when it starts.
        Expect(site, report, sent, sent.Writes, lists: 1);
        Delete(site, joining);
        await site.SettleAsync();
    }

    /// <summary>Somebody deletes and edits shards: what is not valid changes nothing anywhere, and the digest repairs all of it.</summary>
    private static async Task HandsAsync(StormSite site, StormReport report)
    {
        await site.ExpectAsync();
        Sent before = site.Shards;
        int edits;
        site.Digest.Signal(Libc.SIGSTOP);
        try
        {
            edits = await DamageAsync(site);
            report.Holds("before the digest has repaired it", await site.DifferenceAsync());
        }
        finally
        {
            site.Digest.Signal(Libc.SIGCONT);
        }
        await Eventually.TrueAsync(
            () => site.Shards.Since(before).Writes >= edits,
            () => site.Digest.Failure($"repaired {site.Shards.Since(before).Writes} of {edits}"),
            site.Settings.Deadline);
        // A valid shard without its nodes is believed, until the digest has repaired it.
        Edit(site, ShardFormat.Home(NodeFactory.Node(2).Name), data =>
        {
            data[ShardFormat.NodesKey] = "";
            data[ShardFormat.SumKey] = ShardFormat.Sum([]);
        });
        await Eventually.TrueAsync(
            () => site.Shards.Since(before).Writes > edits, () => site.Digest.Failure("did not repair a valid edit"),
            site.Settings.Deadline);
        report.Note($"all are right after {(await site.SettleAsync()).TotalSeconds:0.0} s");
        Sent sent = site.Shards.Since(before);
        report.Exactly("repairs", sent.Writes, edits + 1);
        Expect(site, report, sent, sent.Writes + edits + 1);
    }

    // Returns how many edits there were, as soon as every reader and the agent have heard of all of them.
    private static async Task<int> DamageAsync(StormSite site)
    {
        const int Each = 4, Kinds = 5, Edits = Kinds * Each;
        Sent before = site.Shards;
        for (int i = 0; i < Each; i++)
        {
            site.Api.Objects.Delete("ConfigMap", ShardFormat.Namespace, ShardFormat.Name(i));
            Edit(site, Each + i, data => data[ShardFormat.NodesKey] = "edited");
            Edit(site, 2 * Each + i, data => data[ShardFormat.FormatKey] = "2");
            Edit(site, 3 * Each + i, data => data[ShardFormat.ShardKey] = "511");
            Relabel(site, 4 * Each + i);
        }
        await Eventually.TrueAsync(
            () => site.Shards.Since(before).Events >= (long)Edits * (site.Watchers - 1),
            () => $"{site.Shards.Since(before).Events} events of {Edits} edits were sent", site.Settings.Deadline);
        return Edits;
    }

    // Every watch gets each change of a shard once, and nobody lists again.
    private static void Expect(StormSite site, StormReport report, Sent sent, long changes, int lists = 0)
    {
        report.AtMost("events", sent.Events, changes * site.Watchers);
        if (sent.Events < changes * site.Readers.Count)
            report.Fail("events", $"{sent.Events} of {changes} changes for {site.Readers.Count} readers");
        report.AtMost("lists", sent.Lists, lists);
        report.AtMost("timeline checks", sent.NamedLists, MostChecks * site.Watchers);
        report.Note($"{sent.WatchBytes / 1e6:#,0.0} MB of events and bookmarks");
    }

    private static void Delete(StormSite site, NodeSpec[] nodes)
    {
        foreach (NodeSpec node in nodes)
            site.Api.Nodes.Delete(node.Name);
    }

    private static void Edit(StormSite site, int shard, Action<JsonNode> edit) => Change(site, shard, map => edit(map["data"]!));

    private static void Relabel(StormSite site, int shard) =>
        Change(site, shard, map => map["metadata"]!["labels"]![ShardFormat.LabelKey] = "else");

    private static void Change(StormSite site, int shard, Action<JsonObject> change)
    {
        JsonObject map = JsonNode.Parse(site.Api.Objects.Get("ConfigMap", ShardFormat.Namespace, ShardFormat.Name(shard))!)!.AsObject();
        change(map);
        site.Api.Objects.Put(map);
    }
}
