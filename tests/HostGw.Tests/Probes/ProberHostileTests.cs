using HostGw.Planning;
using HostGw.Probes;

namespace HostGw.Tests.Probes;

public class ProberHostileTests
{
    private const string A = "10.244.2.0/24";

    private readonly ProbedNetwork _network = new() { Answering = ProbePaths.None };

    [Fact]
    public void Who_does_not_know_the_nonce_changes_nothing()
    {
        ProbeQuestion asked = Ask();
        for (ulong guess = 0; guess < 10_000; guess++)
        {
            if (asked.Nonce != new ProbeNonce(1, guess))
                _network.Prober.Answered(Answer(asked) with { Nonce = new(1, guess) }, asked.Destination);
            _network.Prober.Expired(Question(asked) with { Nonce = new(guess, 0) }, asked.Destination);
        }
        _network.Prober.Answered(Answer(asked) with { Nonce = default }, asked.Destination);
        Assert.Equal(0, _network.Counters[ProbeResult.Answered]);
        _network.Run(30);
        Assert.Equal(ReachKind.Unknown, _network.Of(A));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(int.MaxValue)]
    [InlineData(uint.MaxValue)]
    public void The_nonce_is_of_one_peer_only(uint peer)
    {
        ProbeQuestion asked = Ask();
        _network.Prober.Answered(Answer(asked) with { Peer = peer }, asked.Destination);
        _network.Prober.Expired(Question(asked) with { Peer = peer }, asked.Destination);
        Assert.Equal((0, 2), (_network.Counters[ProbeResult.Answered], _network.Counters[ProbeResult.NotAsked]));
    }

    [Theory]
    [InlineData("10.0.0.3")]
    [InlineData("10.244.2.0")]
    [InlineData("10.244.2.254")]
    [InlineData("::")]
    public void An_answer_from_another_address_is_none(string from)
    {
        ProbeQuestion asked = Ask();
        _network.Prober.Answered(Answer(asked), Ip.Parse(from));
        Assert.Equal((0, 1), (_network.Counters[ProbeResult.Answered], _network.Counters[ProbeResult.NotAsked]));
    }

    [Fact]
    public void The_node_paths_question_proves_nothing_of_the_pod_path()
    {
        ProbeQuestion asked = Ask();
        _network.Prober.Expired(Question(asked), asked.Destination);
        Assert.Equal(0, _network.Counters[ProbeResult.Answered]);

        _network.Prober.Answered(Answer(asked), asked.Destination);
        Assert.True(_network.Prober.TryTake(out ProbeQuestion echo));
        Assert.NotEqual(asked.Nonce, echo.Nonce);
        _network.Prober.Answered(Answer(asked), echo.Destination);
        _network.Prober.Answered(Answer(echo), asked.Destination);
        Assert.Equal((1, 3), (_network.Counters[ProbeResult.Answered], _network.Counters[ProbeResult.NotAsked]));
        Assert.Equal(ReachKind.Unknown, _network.Of(A));
    }

    [Fact]
    public void A_question_of_ours_that_comes_back_is_no_answer()
    {
        ProbeQuestion asked = Ask();
        _network.Prober.Answered(Question(asked), asked.Destination);
        _network.Prober.Expired(Answer(asked), asked.Destination);
        Assert.Equal((0, 2), (_network.Counters[ProbeResult.Answered], _network.Counters[ProbeResult.NotAsked]));
    }

    [Fact]
    public void An_answer_counts_once()
    {
        ProbeQuestion asked = Ask();
        for (int i = 0; i < 3; i++)
            _network.Prober.Answered(Answer(asked), asked.Destination);
        Assert.Equal((1, 2), (_network.Counters[ProbeResult.Answered], _network.Counters[ProbeResult.NotAsked]));
    }

    [Theory]
    [InlineData(799, 1)]
    [InlineData(800, 0)]
    [InlineData(5000, 0)]
    public void An_answer_counts_within_800_ms(int milliseconds, int expected)
    {
        ProbeQuestion asked = Ask();
        _network.Time.Advance(TimeSpan.FromMilliseconds(milliseconds));
        _network.Prober.Answered(Answer(asked), asked.Destination);
        Assert.Equal(expected, _network.Counters[ProbeResult.Answered]);
    }

    // Two Nodes list the address: who asks from it is told nothing of the path.
    [Theory]
    [InlineData("10.0.0.2", TunnelMode.Auto, ProbeFlags.None)]
    [InlineData("10.0.0.7", TunnelMode.Auto, ProbeFlags.Undetermined)]
    [InlineData("10.0.0.7", TunnelMode.Off, ProbeFlags.None)]
    internal void Who_asks_from_an_address_of_two_Nodes_is_told_so(string from, TunnelMode mode, ProbeFlags expected)
    {
        ProbedNetwork network = new(tunnel: mode);
        network.Follow("a 10.244.2.0/24 10.0.0.2,10.0.0.7", "b 10.244.3.0/24 10.0.0.3,10.0.0.7");
        network.Run(15);
        network.Asked.Clear();
        Assert.Equal(expected, network.Prober.Questioned(Ip.Parse(from), ProbeFlags.WantsTunnel));
        network.Run(2);
        Assert.Equal(from == "10.0.0.2", network.Asked.Any(a => a.Question.Path == ProbePaths.Node));
    }

    // Without a tunnel no peer has news of one.
    [Fact]
    public void With_the_tunnel_off_questions_cause_none()
    {
        ProbedNetwork network = new(3600);
        network.Follow("a 10.244.2.0/24 10.0.0.2");
        network.Run(15);
        network.Asked.Clear();
        _ = network.Prober.Questioned(Ip.Parse("10.0.0.2"), ProbeFlags.WantsTunnel);
        network.Run(15);
        Assert.Empty(network.Asked);
    }

    [Fact]
    public void Whatever_comes_at_whatever_time_breaks_nothing()
    {
        Random random = new(7);
        ProbedNetwork network = new(1);
        string[] peers = [.. Enumerable.Range(2, 30).Select(i => $"p{i} 10.244.{i}.0/24,fd00:10:244:{i}::/64 10.0.0.{i},fd00:aaaa::{i}")];
        for (int i = 0; i < 3000; i++)
        {
            switch (random.Next(6))
            {
                case 0:
                    network.Follow([.. peers.Where(_ => random.Next(3) > 0).Select(p => random.Next(9) == 0 ? $"{p} uid={i}" : p)]);
                    break;
                case 1:
                    network.Answering = (ProbePaths)random.Next(8);
                    break;
                case 2 when network.Asked.Count > 0:
                    ProbeQuestion asked = network.Asked[random.Next(network.Asked.Count)].Question;
                    network.Prober.Answered(Answer(asked) with { Peer = (uint)random.Next(70) }, asked.Destination);
                    network.Prober.Expired(Question(asked), asked.Destination);
                    network.Prober.GiveUp(asked);
                    break;
                default:
                    network.Run(random.NextDouble());
                    break;
            }
        }
        network.Answering = ProbePaths.Node | ProbePaths.Pod;
        network.Follow(peers);
        network.Run(10);
        Assert.All(Enumerable.Range(2, 30), i => Assert.Equal(ReachKind.Reachable, network.Of($"10.244.{i}.0/24")));
        Assert.All(Enumerable.Range(2, 30), i => Assert.Equal(ReachKind.Reachable, network.Of($"fd00:10:244:{i}::/64")));
    }

    private ProbeQuestion Ask()
    {
        _network.Follow("a 10.244.2.0/24 10.0.0.2", "b 10.244.3.0/24 10.0.0.3");
        _network.Time.Advance(TimeSpan.FromMilliseconds(20));
        Assert.True(_network.Prober.TryTake(out ProbeQuestion question));
        Assert.Equal(0u, question.Peer);
        return question;
    }

    private static ProbeDatagram Answer(ProbeQuestion asked) => ProbedNetwork.AnswerTo(asked);

    private static ProbeDatagram Question(ProbeQuestion asked) => Answer(asked) with { Kind = ProbeKind.Question };
}
