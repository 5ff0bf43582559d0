using HostGw.Planning;
using HostGw.Probes;
using HostGw.Tests.Planning;
using HostGw.Tests.Reconciliation;

namespace HostGw.Tests.Probes;

public class ProbeResponderTests
{
    private static readonly Ip Peer = Ip.Parse("10.0.0.2");

    private readonly ManualTime _time = new();
    private readonly ProbeCounters _counters = new();
    private readonly ProbeResponder _responder;
    private readonly List<(Ip From, ProbeFlags Flags)> _questioned = [];
    private ProbeFlags _answered;

    public ProbeResponderTests()
    {
        _responder = new(_counters, (from, flags) => Questioned(from, flags), _time);
        _responder.Follow(Known(1));
        _time.Advance(TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void The_answer_repeats_number_and_nonce_and_nothing_else_of_the_question()
    {
        byte[] question = Bytes(new(ProbeKind.Question, (ProbeFlags)0xFF, 7, new(1, 2)));
        question.AsSpan(28).Fill(0xEE);
        byte[] answer = new byte[ProbeDatagram.Size];

        Assert.True(_responder.TryAnswer(question, Peer, 40000, 64, answer));
        Assert.Equal(Bytes(new(ProbeKind.Answer, ProbeFlags.None, 7, new(1, 2))), answer);
    }

    [Theory]
    [InlineData(255, ProbeFlags.MetNoRouter)]
    [InlineData(254, ProbeFlags.None)]
    [InlineData(0, ProbeFlags.None)]
    internal void The_answer_says_whether_the_question_met_a_router(int hops, ProbeFlags expected)
    {
        byte[] answer = new byte[ProbeDatagram.Size];
        Assert.True(_responder.TryAnswer(Question, Peer, 40000, hops, answer));
        Assert.Equal(Bytes(new(ProbeKind.Answer, expected, 0, new(1, 2))), answer);
    }

    [Theory]
    [InlineData(65)]
    [InlineData(1472)]
    public void A_long_question_gets_a_short_answer_at_the_same_rate(int length)
    {
        byte[] question = Bytes(new(ProbeKind.LongQuestion, ProbeFlags.None, 7, new(1, 2)));
        Array.Resize(ref question, length);
        byte[] answer = new byte[length];

        Assert.True(_responder.TryAnswer(question, Peer, 40000, 64, answer));
        Assert.Equal(Bytes(new(ProbeKind.Answer, ProbeFlags.None, 7, new(1, 2))), answer[..ProbeDatagram.Size]);
        Assert.All(answer[ProbeDatagram.Size..], b => Assert.Equal(0, b));
        Assert.Equal(9, Enumerable.Range(0, 100).Count(_ => _responder.TryAnswer(question, Peer, 40000, 64, answer)));
        _questioned.Clear();
        Ignored(ProbeResult.UnknownSender, question, from: "10.0.0.3", answered: 10);
    }

    [Fact]
    public void An_answer_is_never_answered() => Ignored(ProbeResult.NotAsked, Bytes(new(ProbeKind.Answer, ProbeFlags.None, 0, default)));

    [Fact]
    public void What_no_Node_asks_is_not_answered() => Ignored(ProbeResult.UnknownSender, Question, from: "10.0.0.3");

    [Theory]
    [InlineData(0)]
    [InlineData(53)]
    [InlineData(1023)]
    public void No_service_gets_an_answer(int port) => Ignored(ProbeResult.PrivilegedPort, Question, port: port);

    [Fact]
    public void Another_size_is_not_answered() => Ignored(ProbeResult.Malformed, Question[..63]);

    [Fact]
    public void Another_version_is_not_answered()
    {
        byte[] question = Question;
        question[4] = 2;
        Ignored(ProbeResult.UnknownVersion, question);
    }

    [Fact]
    public void Not_more_is_answered_than_a_peer_asks_from_one_address()
    {
        Assert.Equal(10, Asked(100));
        _time.Advance(TimeSpan.FromSeconds(0.9));
        Assert.Equal(0, Asked(100));
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal(10, Asked(100));
        Assert.Equal(280, _counters[ProbeResult.RateLimited]);
    }

    [Theory]
    [InlineData("10.0.0.2")]
    [InlineData("10.244.2.0")]
    [InlineData("fd00:aaaa::2")]
    public void A_flood_in_the_name_of_one_address_takes_nothing_from_the_others(string flooding)
    {
        _responder.Follow(Known(200));
        Assert.Equal(10, Asked(1000, flooding));
        for (int i = 2; i <= 201; i++)
        {
            foreach (string other in (string[])[$"10.0.0.{i}", $"10.244.{i}.0", $"10.244.{i}.1", $"fd00:aaaa::{i}"])
                Assert.Equal(other == flooding ? 0 : 4, Asked(4, other));
        }
    }

    [Fact]
    public void A_question_allocates_nothing()
    {
        byte[] question = Question, answer = new byte[ProbeDatagram.Size];
        ProbeResponder responder = new(_counters, static (_, flags) => flags, _time);
        responder.Follow(Known(1));
        _ = responder.TryAnswer(question, Peer, 40000, 64, answer);

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
            _ = responder.TryAnswer(question, Peer, 40000, 64, answer);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void The_answer_says_what_this_node_does_with_packets_to_the_asker()
    {
        byte[] question = Bytes(new(ProbeKind.Question, ProbeFlags.TunnelsToYou, 7, new(1, 2))), answer = new byte[ProbeDatagram.Size];
        _answered = ProbeFlags.WantsTunnel;

        Assert.True(_responder.TryAnswer(question, Peer, 40000, 64, answer));
        Assert.Equal(Bytes(new(ProbeKind.Answer, ProbeFlags.WantsTunnel, 7, new(1, 2))), answer);
        Assert.Equal((Peer, ProbeFlags.TunnelsToYou), Assert.Single(_questioned));
    }

    private static byte[] Question => Bytes(new(ProbeKind.Question, ProbeFlags.None, 0, new(1, 2)));

    private static KnownAddresses Known(int peers) => ProbePlan.Of(Planner.Plan(
        Given.Nodes([Given.Self, .. Enumerable.Range(2, peers).Select(i => $"p{i} 10.244.{i}.0/24 10.0.0.{i},fd00:aaaa::{i}")]),
        Given.Host(Given.Lan), Given.Policy("")), held: []).Known;

    private static byte[] Bytes(ProbeDatagram datagram)
    {
        byte[] bytes = new byte[ProbeDatagram.Size];
        datagram.Write(bytes);
        return bytes;
    }

    private int Asked(int times, string from = "10.0.0.2") =>
        Enumerable.Range(0, times).Count(_ => _responder.TryAnswer(Question, Ip.Parse(from), 40000, 64, new byte[64]));

    private void Ignored(ProbeResult why, byte[] question, string from = "10.0.0.2", int port = 40000, long answered = 0)
    {
        Assert.False(_responder.TryAnswer(question, Ip.Parse(from), port, 64, new byte[64]));
        Assert.Equal((1, answered), (_counters[why], _counters[ProbeResult.Echoed]));
        Assert.Empty(_questioned);
    }

    private ProbeFlags Questioned(Ip from, ProbeFlags flags)
    {
        _questioned.Add((from, flags));
        return _answered;
    }
}
