using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using HostGw.Kubernetes;
using HostGw.Nodes;
using HostGw.Planning;
using HostGw.Problems;
using HostGw.Reconciliation;
using HostGw.Status;
using HostGw.Status.Page;
using HostGw.Tests.Nodes;
using Given = HostGw.Tests.Planning.Given;

namespace HostGw.Tests.Fuzzing;

/// <summary>What comes from the API server, or from somebody in its place.</summary>
internal static class NodeTargets
{
    // As long as a label may be.
    private const int MostText = 63;

    private static readonly string[] JsonTokens =
        ["\"items\":", "\"metadata\":", "\"spec\":", "\"podCIDRs\":[", "\"podCIDR\":", "\"10.244.7.0/24\"", "\"status\":", "\"addresses\":[", "\"type\":\"InternalIP\"", "\"\\ud800\"", "\\u0000", "null", "1e999", "{", "}", "[", "]", ","];

    private static readonly IReadOnlyList<byte[]> Hostile = Corpus.Files("tests/HostGw.Tests/Planning/Hostile", "*.json");
    private static readonly string[] Good = [.. Corpus.Of("nodes").Select(Encoding.UTF8.GetString)];
    private static readonly string[] Nodes = [.. Good, .. Hostile.Select(Encoding.UTF8.GetString)];

    public static IEnumerable<FuzzTarget> All =>
    [
        new("a list of nodes", [.. Nodes.Where(IsNode).Select(n => NodeProtobuf.ListOf("7", n)), NodeProtobuf.ListOf("7", Good)], [], bytes => InPieces(bytes, AsList)),
        new("a watch", [.. Nodes.Where(IsNode).Select(n => NodeProtobuf.Frame("ADDED", n)), NodeProtobuf.Bookmark(9, isEnd: true), NodeProtobuf.Error(Status)], [], bytes => InPieces(bytes, AsWatch)),
        new("a Status", [Encoding.UTF8.GetBytes(Status), NodeProtobuf.Error(Status).AsSpan(4).ToArray(), .. Corpus.Of("status")], JsonTokens, bytes => ApiStatus.Parse(bytes)),
        new("nodes of any text", [.. Good.Select(Encoding.UTF8.GetBytes)], [], AnyText, BytesPerByte: 2000),
        new("a plan of any nodes", [.. Nodes.Where(IsNode).Select(n => NodeProtobuf.ListOf("7", n))], [], PlanAndShow, BytesPerByte: 2000),
    ];

    private const string Status = """{"kind":"Status","status":"Failure","message":"too old resource version","reason":"Expired","details":{"retryAfterSeconds":3},"code":410}""";

    // The encoder takes what the API server would take.
    private static bool IsNode(string json)
    {
        try
        {
            NodeProtobuf.Frame("ADDED", json);
            return true;
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException or JsonException or KeyNotFoundException or InvalidCastException)
        {
            return false;
        }
    }

    private static ListWatchDecoder AsList(List<string> lines) => Decoder(isWatch: false, lines);

    private static ListWatchDecoder AsWatch(List<string> lines) => Decoder(isWatch: true, lines);

    private static ListWatchDecoder Decoder(bool isWatch, List<string> lines)
    {
        NodeDraft draft = new(NodeText.Selector);
        return new(isWatch, draft, type => lines.Add($"{type} {draft.ResourceVersion} {NodeText.Text(NodeText.Built(draft))}"));
    }

    // However it is cut into pieces on its way, the same comes out: nodes, and then the end or the same complaint.
    private static void InPieces(byte[] bytes, Func<List<string>, ListWatchDecoder> decoder)
    {
        string[] whole = Decode(bytes, decoder, []);
        int middle = bytes.Length / 2, third = bytes.Length / 3;
        Assert.Equal(whole, Decode(bytes, decoder, [third, middle]));
    }

    private static string[] Decode(byte[] bytes, Func<List<string>, ListWatchDecoder> newDecoder, int[] cuts)
    {
        List<string> lines = [];
        try
        {
            ListWatchDecoder decoder = newDecoder(lines);
            int start = NodeText.Feed(decoder, bytes, cuts);
            decoder.Decode(bytes.AsSpan(start), isFinal: true);
            ListPage page = decoder.Page();
            lines.Add($"{page.ResourceVersion}/{page.Continue}");
        }
        catch (Exception e) when (e is InvalidAnswerException or ApiException)
        {
            lines.Add(e.GetType().Name);
        }
        return [.. lines];
    }

    // A node whose name is any text has that name, and saved nodes keep it.
    private static void AnyText(byte[] bytes)
    {
        var random = new Random(bytes.Length + (bytes.Length > 0 ? bytes[^1] : 0));
        string text = Encoding.UTF8.GetString(bytes.AsSpan(0, Math.Min(bytes.Length, MostText)));
        var node = JsonNode.Parse(Good[random.Next(Good.Length)])!.AsObject();
        List<JsonValue> texts = [.. Texts(node)];
        texts[random.Next(texts.Count)].ReplaceWith(text);
        string read = NodeProtobuf.Node(node.ToJsonString());
        Assert.StartsWith(node["metadata"]!["name"]!.GetValue<string>(), read, StringComparison.Ordinal);
    }

    private static IEnumerable<JsonValue> Texts(JsonNode node) => node switch
    {
        JsonObject o => o.SelectMany(p => p.Value is null || p.Key is "creationTimestamp" ? [] : Texts(p.Value)),
        JsonArray a => a.SelectMany(v => v is null ? [] : Texts(v)),
        JsonValue v when v.GetValueKind() == JsonValueKind.String => [v],
        _ => [],
    };

    // What can be read can be planned, written as status, metrics and page, and is markup nowhere.
    private static void PlanAndShow(byte[] bytes)
    {
        List<ClusterNode> nodes = [Given.Node(Given.Self, 0)];
        try
        {
            NodeDraft draft = new(NodeText.Selector);
            new ListWatchDecoder(isWatch: false, draft, _ => nodes.Add(draft.Build())).Decode(bytes, isFinal: true);
        }
        catch (InvalidAnswerException)
        {
            // What came before that is planned.
        }
        Plan plan = Planner.Plan([.. nodes.DistinctBy(n => n.Name).OrderBy(n => n.Name, StringComparer.Ordinal)], Given.Host(Given.Lan), Given.Policy("clusterCidrs=10.244.0.0/16"));
        var report = new PassReport { At = DateTimeOffset.UnixEpoch, Plan = plan };
        StatusBoard board = new();
        board.Record(report);
        Assert.NotEmpty(ProblemCatalog.Texts(report).Append(""));
        JsonDocument.Parse(StatusJson.Write("1", "self", board.View, null)).Dispose();
        Metrics.Write("1", board.View, default);
        string page = Encoding.UTF8.GetString(StatusPage.Write(new(board.View, new(null), "1", "self", DateTimeOffset.UnixEpoch, "")));
        Assert.Equal(1, page.Split("<script").Length - 1);
    }
}
