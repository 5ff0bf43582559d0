using System.Text;
using HostGw.Kubernetes;
using HostGw.Tests.FakeApi;
using HostGw.Tests.Nodes;

namespace HostGw.Tests.Kubernetes;

/// <summary>Answers that never get better: the agent keeps its nodes, asks slowly and says what is wrong.</summary>
[Trait("Speed", "slow")]
public sealed class HostileAnswersTests
{
    private const string Protobuf = "HTTP/1.1 200 OK\nContent-Type: application/vnd.kubernetes.protobuf\n";

    // In two seconds of pauses: some of them at once, then fewer and fewer.
    private const int MostRequests = 20;

    private static readonly Answer NoStreaming = Answer.Recorded("streaming-list-off.protobuf");
    private static readonly Answer List = Answer.Recorded("list.protobuf");
    private static readonly Answer Page = Answer.Recorded("page-1.protobuf");

    private static readonly Dictionary<string, (Answer[] First, Answer[] ForEver)> Cases = new()
    {
        ["429 with Retry-After 0"] = ([], [Refusal("429 Too Many Requests", "Retry-After: 0\n")]),
        ["503 with Retry-After 0"] = ([NoStreaming, List], [Refusal("503 Service Unavailable", "Retry-After: 0\n")]),
        ["410"] = ([], [Refusal("410 Gone")]),
        ["410 after a list"] = ([NoStreaming, List], [Refusal("410 Gone")]),
        ["410 after each list"] = ([NoStreaming], [List, Answer.Recorded("watch-expired.protobuf", AnswerEnd.Whole)]),
        ["garbage after each list"] = ([NoStreaming], [List, Answer.Watch([0, 0, 0, 2, 0xff, 0xff], AnswerEnd.Whole)]),
        ["504 with ResourceVersionTooLarge"] = ([NoStreaming, List], [TooLarge]),
        ["an event with ResourceVersionTooLarge"] = ([], [Answer.Watch(NodeProtobuf.Error(TooLargeStatus), AnswerEnd.Whole)]),
        ["a redirect"] = ([], [Refusal("302 Found", "Location: /\n")]),
        ["an empty body"] = ([], [new(Protobuf + "Content-Length: 0\n", [])]),
        ["a short body"] = ([NoStreaming], [new(Protobuf + "Content-Length: 100\n", [1, 2], AnswerEnd.BrokenOff)]),
        ["empty frames"] = ([NoStreaming, List], [Answer.Watch(new byte[4000], AnswerEnd.Whole)]),
        ["a frame of 4 GB"] = ([NoStreaming, List], [Answer.Watch([0xff, 0xff, 0xff, 0xff, 0x1a, 0xff], AnswerEnd.Whole)]),
        ["two page tokens in turn"] = ([NoStreaming], [Page, Page.With("eyJ2Ijoi", "eyJ3Ijoi")]),
    };

    public static TheoryData<string> Names => [.. Cases.Keys];

    private const string TooLargeStatus = """
        {"kind":"Status","reason":"Timeout","message":"Too large resource version: 338","code":504,
         "details":{"causes":[{"reason":"ResourceVersionTooLarge"}],"retryAfterSeconds":1}}
        """;

    private static Answer TooLarge => Refusal("504 Gateway Timeout", body: TooLargeStatus);

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Repeated_for_ever_is_asked_for_slowly_and_costs_no_node(string name)
    {
        (Answer[] first, Answer[] forEver) = Cases[name];
        await using AnswerServer server = new([.. first, .. Enumerable.Repeat(forEver, 1000).SelectMany(a => a)]);
        RecordingTime time = new(times: 20);
        await using NodeFollower follower = new(server.Configuration, time, "n1");
        await EventuallyAsync(() => time.Waited >= TimeSpan.FromSeconds(2) || server.Requests.Length > MostRequests);
        string[] requests = server.Requests;
        // On a busy machine this looks late, when it has waited for longer and asked more.
        double most = MostRequests * Math.Max(1, time.Waited / TimeSpan.FromSeconds(2));
        Assert.True(requests.Length <= most, $"{requests.Length} requests: {string.Join('\n', requests.Take(30))}");
        Assert.All(follower.Announced, s => Assert.Equal(3, s.Nodes.Length));
    }

    [Theory]
    [InlineData("503 with Retry-After 1", "The API server answered 503")]
    [InlineData("an event with retryAfterSeconds 1", "The API server answered 503")]
    [InlineData("a short body", "")]
    public async Task What_is_no_failure_at_first_is_reported_after_two_minutes_without_a_node(string name, string problem)
    {
        // So short that nothing is wrong with what there is.
        Answer answer = name switch
        {
            "a short body" => new(Protobuf + "Content-Length: 100\n", "k8"u8.ToArray(), AnswerEnd.BrokenOff),
            "503 with Retry-After 1" => Refusal("503 Service Unavailable", "Retry-After: 1\n"),
            _ => Answer.Watch(
                NodeProtobuf.Error("""{"kind":"Status","code":503,"details":{"retryAfterSeconds":1}}"""), AnswerEnd.Whole),
        };
        await using AnswerServer server = new([.. Enumerable.Repeat(answer, 1000)]);
        LateTime time = new();
        await using NodeFollower follower = new(server.Configuration, time, "n1");
        await EventuallyAsync(() => server.Requests.Length > 1);
        Assert.Null(follower.Watcher.Health.Problem);
        time.MinutesLate = 2;
        await EventuallyAsync(() => follower.Watcher.Health.Problem is not null);
        Assert.StartsWith(problem, follower.Watcher.Health.Problem, StringComparison.Ordinal);
    }

    private static async Task EventuallyAsync(Func<bool> holds)
    {
        for (int i = 0; i < 15_000 && !holds(); i++)
            await Task.Delay(20, TestContext.Current.CancellationToken);
        Assert.True(holds());
    }

    // Minutes pass, but pauses are as long as ever.
    private sealed class LateTime : TimeProvider
    {
        private long _late;

        public int MinutesLate { set => Interlocked.Exchange(ref _late, value * 60 * TimestampFrequency); }

        public override long GetTimestamp() => base.GetTimestamp() + Interlocked.Read(ref _late);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            PatientTime.OfReflector.CreateTimer(callback, state, dueTime, period);
    }

    private static Answer Refusal(string status, string headers = "", string body = "{}") =>
        new($"HTTP/1.1 {status}\nContent-Type: application/json\n{headers}Content-Length: {body.Length}\n", Encoding.ASCII.GetBytes(body));
}
