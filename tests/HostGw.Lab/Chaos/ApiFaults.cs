using HostGw.FakeApi;

namespace HostGw.Lab.Chaos;

/// <summary>What may go wrong with the API server and the way to it.</summary>
internal static class ApiFaults
{
    private const int Heartbeats = 50;

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    public static IEnumerable<Fault> All =>
    [
        new("API server killed", stage => stage.Api.StopListeningAsync(), stage => stage.Api.StartListeningAsync()),
        new("API server restarted: 410 to every version of before",
            stage => stage.Api.StopListeningAsync(reset: false), stage => stage.Api.RestartAsync()),
        new("etcd restored from an older snapshot", GoBackAsync, stage => stage.Api.StartListeningAsync()),
        Misbehaving("API server hung: connections open, nothing said", (_, f) => f.HangConnections = f.HangRequests = f.FreezeWatches = true),
        Misbehaving("API server slow: 1 s per answer, 4 KB/s", (_, f) => (f.Latency, f.BytesPerSecond) = (TimeSpan.FromSeconds(1), 4096)),
        Partition("API server cut off by a partition", TimeSpan.Zero),
        Partition("the same for 35 s: its connections are given up", TimeSpan.FromSeconds(30)) with { IsLongOnly = true },
        Misbehaving("API server forgets: 410 Gone", (stage, f) =>
        {
            stage.Api.CompactHistory();
            stage.Api.ExpireWatches();
            f.Answer(410, int.MaxValue);
        }),
        Misbehaving("API server busy: 429 with Retry-After", (_, f) => f.Answer(429, int.MaxValue, RetryAfter)),
        Misbehaving("API server broken: 500", (_, f) => f.Answer(500, int.MaxValue)),
        Misbehaving("API server answers garbage", (_, f) => f.AnswerGarbage(int.MaxValue)),
        Misbehaving("API server's protobuf breaks off, connection too", (stage, f) => BreakOff(stage, f, cleanEnd: false)),
        Misbehaving("API server's protobuf breaks off as if complete", (stage, f) => BreakOff(stage, f, cleanEnd: true)),
        Misbehaving("API server lists nothing at all", (stage, f) =>
        {
            f.EmptyLists = true;
            stage.Api.CompactHistory();
        }) with { Meanwhile = BelievedAsync },
        StaleCache("API server's cache is from before node 3 and the rest joined"),
        new("token expired, a new one comes later",
            stage =>
            {
                stage.Api.RotateToken();
                stage.Api.CutConnections();
                return Task.CompletedTask;
            },
            WriteCredentials),
        new("certificate authority replaced, its certificate comes later",
            stage =>
            {
                stage.Api.RotateAuthority();
                stage.Api.CutConnections();
                return Task.CompletedTask;
            },
            WriteCredentials),
    ];

    /// <summary>The nodes as they were when there was only the first.</summary>
    public static NodeSnapshot OnlyTheFirst(Stage stage)
    {
        string[] others = [.. stage.Api.Nodes.Names.Where(name => name != stage.One.Name)];
        string[] theirs = [.. others.Select(name => stage.Api.Nodes.Get(name)!)];
        stage.Api.Faults.FreezeWatches = true;
        foreach (string name in others)
            stage.Api.Nodes.Delete(name);
        NodeSnapshot past = stage.Api.Nodes.Snapshot();
        foreach (string node in theirs)
            stage.Api.Nodes.Put(node);
        // Nobody saw it happen: watches begin again after it.
        stage.Api.CompactHistory();
        stage.Api.CutConnections();
        stage.Api.Faults.FreezeWatches = false;
        return past;
    }

    // A fault of the server's answers; connections begin again, so that they are asked for.
    private static Fault Misbehaving(string name, Action<Stage, Faults> begin) => new(
        name,
        stage =>
        {
            begin(stage, stage.Api.Faults);
            stage.Api.CutConnections();
            return Task.CompletedTask;
        },
        stage =>
        {
            stage.Api.Faults.Clear();
            return Task.CompletedTask;
        });

    private static Fault StaleCache(string name) => Misbehaving(name, (stage, faults) => faults.CachedListsFrom = OnlyTheFirst(stage));

    // Also in the short form it must have come as far as that.
    private static Task<TimeSpan> BelievedAsync(Stage stage) => Eventually.TrueAsync(
        async () => !await stage.First.IsReadyAsync(), () => "the agent of node 1 did not notice that its node is missing");

    // A node joined after the snapshot, and is gone with the restore. What joins next has a version that agents have long since seen.
    private static async Task GoBackAsync(Stage stage)
    {
        Action restore = stage.Backup();
        stage.Announce("lost", 103);
        for (int i = 0; i < Heartbeats; i++)
            stage.Api.Nodes.Heartbeat(stage.One.Name);
        await stage.SettleAsync();
        await stage.Api.StopListeningAsync(reset: false);
        restore();
    }

    private static void BreakOff(Stage stage, Faults faults, bool cleanEnd)
    {
        stage.Api.CompactHistory();
        faults.Truncate(700, int.MaxValue, cleanEnd);
    }

    private static Fault Partition(string name, TimeSpan longer) => new(
        name,
        stage =>
        {
            stage.Cluster.Segment.Network.Exec("nft", """
                table inet cut {
                  chain in { type filter hook input priority 0; tcp dport 6443 drop; }
                  chain out { type filter hook output priority 0; tcp sport 6443 drop; }
                }
                """);
            return Task.CompletedTask;
        },
        stage =>
        {
            stage.Cluster.Segment.Network.Exec("nft", "delete table inet cut");
            return Task.CompletedTask;
        })
    {
        Meanwhile = _ => Task.Delay(longer),
    };

    private static Task WriteCredentials(Stage stage)
    {
        stage.Cluster.Api.WriteCredentials();
        return Task.CompletedTask;
    }
}
