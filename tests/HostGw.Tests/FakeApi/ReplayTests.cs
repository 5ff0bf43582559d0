using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using HostGw.FakeApi;
using HostGw.FakeApi.Encoders;
using HostGw.FakeApi.Resources;
using HostGw.FakeApi.Storage;
using HostGw.Tests.Reconciliation;

namespace HostGw.Tests.FakeApi;

/// <summary>FakeApi answers as a real API server did: each recorded request is sent to a FakeApi that holds the same objects.</summary>
public sealed class ReplayTests(ReplayTests.Replays replays) : IClassFixture<ReplayTests.Replays>
{
    // Where FakeApi differs on purpose.
    private static readonly (string Name, string Path, string Why)[] Different =
    [
        ("event-created.json", "managedFields", "FakeApi keeps managedFields of writers that name themselves only"),
        ("event-patched.json", "managedFields", "FakeApi keeps managedFields of writers that name themselves only"),
        ("status-patched.json", "managedFields", "FakeApi keeps managedFields of writers that name themselves only"),
        ("streaming-list-own-node.protobuf", "body.bookmark", "this watch ended before a bookmark was due"),
    ];

    public static TheoryData<string> Names => [.. Recording.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task The_answer_is_the_recorded_one(string name)
    {
        string[] differences = AnswerFields.Differences(Compared(Recording.Read(name)), Compared(await replays.AnswerAsync(name)));
        Assert.True(differences.Length == 0, string.Join('\n', differences.Take(20)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_field_that_is_changed_or_missing_is_reported(string name)
    {
        SortedDictionary<string, string> recorded = AnswerFields.Of(Recording.Read(name)), actual = Compared(await replays.AnswerAsync(name));
        string[] paths = [.. recorded.Keys.Where(p => !IsDifferent(name, p))];
        foreach (string? suffix in new[] { "x", null })
        {
            var changed = new SortedDictionary<string, string>(StringComparer.Ordinal);
            foreach (string path in suffix is null ? [] : paths)
                changed[path] = recorded[path] + suffix;
            HashSet<string> reported = [.. AnswerFields.Differences(Compared(name, changed), actual).Select(d => d[..d.IndexOf(": recorded ", StringComparison.Ordinal)])];
            Assert.Empty(paths.Where(p => !reported.Contains(p)));
        }
    }

    private static SortedDictionary<string, string> Compared(Recording answer) => Compared(answer.Name, AnswerFields.Of(answer));

    private static SortedDictionary<string, string> Compared(string name, SortedDictionary<string, string> fields) =>
        new(AnswerFields.Normalised(fields).Where(f => !IsDifferent(name, f.Key)).ToDictionary(), StringComparer.Ordinal);

    private static bool IsDifferent(string name, string path) =>
        Array.Exists(Different, d => d.Name == name && path.Contains(d.Path, StringComparison.Ordinal));

    /// <summary>All requests at once.</summary>
    public sealed class Replays : IAsyncLifetime
    {
        private readonly Dictionary<string, Task<Recording>> _answers = [];

        public ValueTask InitializeAsync()
        {
            foreach (string name in Recording.Names)
                _answers[name] = Task.Run(() => Replay.RunAsync(Recording.Read(name)));
            return ValueTask.CompletedTask;
        }

        internal Task<Recording> AnswerAsync(string name) => _answers[name];

        public async ValueTask DisposeAsync() => await Task.WhenAll(_answers.Values).ContinueWith(_ => { }, TaskScheduler.Default);
    }
}

/// <summary>One recorded request, sent to a FakeApi that is prepared for it.</summary>
internal static class Replay
{
    private const string Event = """
        {"kind":"Event","apiVersion":"v1","metadata":{"name":"n1.fixture","namespace":"default"},"involvedObject":{"kind":"Node","name":"n1",
        "uid":"n1","apiVersion":"v1"},"reason":"PodCIDRRejected","message":"node h: 0.0.0.0/0 is not a pod subnet","source":{"component":"hostgw",
        "host":"n1"},"firstTimestamp":"2026-11-29T00:00:00Z","lastTimestamp":"2026-11-29T00:00:00Z","count":1,"type":"Warning","eventTime":null,
        "reportingComponent":"hostgw","reportingInstance":"n1"}
        """;

    public static async Task<Recording> RunAsync(Recording recorded)
    {
        bool off = recorded.Name.StartsWith("streaming-list-off", StringComparison.Ordinal);
        ManualTime time = new();
        await using FakeApiServer api = await FakeApiServer.StartAsync(
            new() { StreamingLists = off ? StreamingLists.Refused : StreamingLists.Served, Time = time });
        List<RecordedFrame> frames = recorded.IsWatch && recorded.Body.Length > 0 ? [.. RecordedFrame.Of(recorded)] : [];
        api.Restore(new Seed(recorded, frames).Snapshot);
        using var client = new RawClient(api) { Accept = recorded.Accept };
        if (recorded.Name.StartsWith("unauthorized", StringComparison.Ordinal))
            client.Token = "wrong";
        else if (recorded.Name.StartsWith("forbidden-anonymous", StringComparison.Ordinal))
            client.Token = null;
        if (recorded.Name is "event-conflict.json" or "event-patched.json")
            await client.SendAsync(HttpMethod.Post, "/api/v1/namespaces/default/events", Event);
        (string? body, string type) = BodyOf(recorded);
        Task<(string Head, byte[] Body)> answer = client.SendRawAsync(new HttpMethod(recorded.Method), recorded.Path, body, type);
        if (frames.Count > 0)
            await PlayAsync(api, frames, client, answer);
        if (recorded.Name.StartsWith("watch-server-stops", StringComparison.Ordinal))
            await api.RestartAsync();
        else if (recorded.IsWatch)
            await RunOutAsync(time, recorded, answer);
        (string head, byte[] bytes) = await answer;
        return recorded with { Head = head, Body = bytes };
    }

    private static (string? Body, string Type) BodyOf(Recording recorded) => recorded.Name switch
    {
        "event-created.json" or "event-conflict.json" => (Event, "application/json"),
        "event-patched.json" => ("""{"count":2,"lastTimestamp":"2026-11-29T00:05:00Z"}""", "application/merge-patch+json"),
        "event-patch-missing.json" => ("""{"count":2}""", "application/merge-patch+json"),
        "status-patch-invalid.json" => ("""{"status":{"conditions":"x"}}""", "application/strategic-merge-patch+json"),
        "status-patched.json" => (StatusPatch(recorded), "application/strategic-merge-patch+json"),
        _ => (null, ""),
    };

    // The recorded answer says what was patched: its NetworkUnavailable condition.
    private static string StatusPatch(Recording recorded)
    {
        JsonNode condition = JsonNode.Parse(recorded.Body)!["status"]!["conditions"]!.AsArray()
            .Single(c => (string?)c!["type"] == "NetworkUnavailable")!;
        return new JsonObject { ["status"] = new JsonObject { ["conditions"] = new JsonArray(condition.DeepClone()) } }.ToJsonString();
    }

    // What happens while the watch is open, until the client has it.
    private static async Task PlayAsync(FakeApiServer api, List<RecordedFrame> frames, RawClient client, Task answer)
    {
        await FakeApiTest.EventuallyAsync(() => api.OpenWatchesOf(frames[0].Kind) > 0 || answer.IsCompleted, "it watches");
        bool isList = frames.Exists(f => f.EndsList);
        RecordedFrame[] news =
            [.. frames.Skip(isList ? frames.FindIndex(f => f.EndsList) + 1 : 0).Where(f => f.Type is "ADDED" or "MODIFIED" or "DELETED")];
        foreach (RecordedFrame frame in news)
            api.Import(frame.Kind, frame.Object, frame.Type == "DELETED");
        if (news.Length > 0)
        {
            string last = news[^1].Object.Revision.ToString(CultureInfo.InvariantCulture);
            await FakeApiTest.EventuallyAsync(() => client.HasReceived(last), "the client has all");
        }
    }

    // Time passes whenever the watch waits for nothing else: for a bookmark, or for its end.
    private static Task RunOutAsync(ManualTime time, Recording recorded, Task answer)
    {
        int timers = recorded.Path.Contains("allowWatchBookmarks=true", StringComparison.Ordinal) ? 2 : 1;
        return FakeApiTest.EventuallyAsync(IsOver, "the watch ends");

        bool IsOver()
        {
            if (!answer.IsCompleted && time.Pending() is var pending && pending.Length == timers)
                time.Advance(pending[0]);
            return answer.IsCompleted;
        }
    }
}

/// <summary>What FakeApi holds before a recorded request: the objects that the recording shows.</summary>
internal sealed class Seed
{
    private readonly Dictionary<string, List<StoredObject>> _objects = Kinds.All.ToDictionary(k => k.Kind, _ => new List<StoredObject>());

    public Seed(Recording recorded, List<RecordedFrame> frames)
    {
        // Nothing is created in a namespace that is not there.
        Add(Kinds.Namespace, new JsonObject { ["metadata"] = new JsonObject { ["name"] = "default", ["resourceVersion"] = "1" } });
        Revision = 474;
        if (frames.Exists(f => f.Type != "ERROR"))
            AddBefore(recorded, frames);
        else if (recorded.Name == "status-patched.json")
            AddUnpatched(recorded);
        else
            AddShown(SourceOf(recorded));
        if (recorded.Name.StartsWith("page-", StringComparison.Ordinal))
            Revision = 339; // as its continue token says
    }

    public long Revision { get; private set; }

    public StoreSnapshot Snapshot => new(Revision, _objects.ToDictionary(
        o => o.Key, o => new TableSnapshot(Revision, ImmutableSortedSet.Create(ResourceTable.ByKey, [.. o.Value]))));

    // A protobuf answer is made from what its JSON twin shows; an error is asked of a server with a list of nodes.
    private static string SourceOf(Recording recorded)
    {
        string twin = recorded.Name.Replace(".protobuf", ".json", StringComparison.Ordinal);
        bool shows = recorded.Head.Contains(" 200 ", StringComparison.Ordinal) && !twin.Contains("watch", StringComparison.Ordinal)
            && !twin.StartsWith("page-", StringComparison.Ordinal) && twin is not ("version" or "event-patched.json");
        return shows ? twin : "list.json";
    }

    private void AddShown(string name)
    {
        JsonObject shown = JsonNode.Parse(Recording.Read(name).Body)!.AsObject();
        string kind = (string)shown["kind"]!;
        if (shown["items"] is not JsonArray items)
        {
            Add(Kinds.Of(kind), shown);
            return;
        }
        Revision = long.Parse((string)shown["metadata"]!["resourceVersion"]!, CultureInfo.InvariantCulture);
        ResourceKind of = kind == "PartialObjectMetadataList" ? Kinds.Node : Kinds.Of(kind[..^"List".Length]);
        foreach (JsonNode? item in items)
            Add(of, (JsonObject)item!.DeepClone());
    }

    private void AddUnpatched(Recording recorded)
    {
        JsonObject node = JsonNode.Parse(recorded.Body)!.AsObject();
        JsonArray conditions = node["status"]!["conditions"]!.AsArray();
        conditions.Remove(conditions.Single(c => (string?)c!["type"] == "NetworkUnavailable"));
        Add(Kinds.Node, node);
    }

    // What a watch changes or deletes was there before; what a streaming list begins with, too.
    private void AddBefore(Recording recorded, List<RecordedFrame> frames)
    {
        RecordedFrame? end = frames.Find(f => f.EndsList);
        string? from = Array.Find(recorded.Path.Split('?', '&'), p => p.StartsWith("resourceVersion=", StringComparison.Ordinal))?.Split('=')[1];
        Revision = end?.Object.Revision ?? long.Parse(from!, CultureInfo.InvariantCulture);
        IEnumerable<RecordedFrame> before = end is not null
            ? frames.TakeWhile(f => !f.EndsList)
            : frames.Where(f => f.Type is "ADDED" or "MODIFIED" or "DELETED").DistinctBy(f => f.Object.Key).Where(f => f.Type != "ADDED");
        foreach (RecordedFrame frame in before)
            _objects[frame.Kind.Kind].Add(frame.Object);
    }

    private void Add(ResourceKind kind, JsonObject content)
    {
        long revision = long.Parse((string)content["metadata"]!["resourceVersion"]!, CultureInfo.InvariantCulture);
        string key = kind.Key((string?)content["metadata"]!["namespace"], (string)content["metadata"]!["name"]!);
        _objects[kind.Kind].Add(StoredObject.From(kind, key, revision, content));
    }
}

/// <summary>One frame of a recorded watch, with its object as FakeApi stores it: for a protobuf watch, with the recorded bytes.</summary>
internal sealed record RecordedFrame(string Type, ResourceKind Kind, StoredObject Object, bool EndsList)
{
    public static IEnumerable<RecordedFrame> Of(Recording watch) => watch.IsProtobuf ? OfProtobuf(watch) : OfJson(watch);

    private static IEnumerable<RecordedFrame> OfJson(Recording watch)
    {
        foreach (string line in Encoding.UTF8.GetString(watch.Body).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            JsonNode frame = JsonNode.Parse(line)!;
            JsonObject content = frame["object"]!.AsObject();
            string type = (string)frame["type"]!;
            yield return Frame(type, (string)content["kind"]!, content, null, line.Contains("initial-events-end", StringComparison.Ordinal));
        }
    }

    private static IEnumerable<RecordedFrame> OfProtobuf(Recording watch)
    {
        for (int at = 0; at < watch.Body.Length;)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(watch.Body.AsSpan(at));
            Dictionary<int, List<byte[]>> frame = ProtobufBody.Fields(watch.Body.AsSpan(at + 4, length));
            byte[] envelope = ProtobufBody.First(ProtobufBody.Fields(ProtobufBody.First(frame, 2)), 1);
            Dictionary<int, List<byte[]>> unknown = ProtobufBody.Fields(envelope.AsSpan(4));
            byte[] raw = ProtobufBody.First(unknown, 2);
            JsonObject metadata = ProtobufBody.Metadata(ProtobufBody.Fields(ProtobufBody.First(ProtobufBody.Fields(raw), 1)));
            string kind = ProtobufBody.Text(ProtobufBody.Fields(ProtobufBody.First(unknown, 1)), 2);
            bool endsList = metadata["annotations"]?["k8s.io/initial-events-end"] is not null;
            yield return Frame(ProtobufBody.Text(frame, 1), kind, new JsonObject { ["metadata"] = metadata }, raw, endsList);
            at += 4 + length;
        }
    }

    private static RecordedFrame Frame(string type, string kind, JsonObject content, byte[]? encoded, bool endsList)
    {
        ResourceKind of = type == "ERROR" ? Kinds.Node : Kinds.Of(kind);
        _ = long.TryParse((string?)content["metadata"]?["resourceVersion"], out long revision);
        string key = of.Key((string?)content["metadata"]?["namespace"], (string?)content["metadata"]?["name"] ?? "");
        StoredObject stored = StoredObject.From(of, key, revision, content);
        if (encoded is not null)
            stored.Encoded(_ => encoded);
        return new RecordedFrame(type, of, stored, endsList);
    }
}
