using HostGw.Planning;
using HostGw.Probes;

namespace HostGw.Tests.Probes;

public class PathDecisionTests
{
    private const PathFacts Good = PathFacts.NativeGood;
    private const PathFacts Proven = PathFacts.NativeGood | PathFacts.NativeProven;
    private const PathFacts Dropped = PathFacts.NativeDropped;
    private const PathFacts TunnelGood = PathFacts.TunnelGood;
    private const PathFacts TunnelBad = PathFacts.TunnelBad;
    private const PathFacts PeerWants = PathFacts.PeerWants;
    private const PathFacts PeerTunnels = PathFacts.PeerTunnels;

    // The state ("+": this node needs the tunnel), what is known, the state after it.
    public static TheoryData<string, object, string> Decisions => new()
    {
        { "Native", PathFacts.None, "Native" },
        { "Native", Proven, "Native" },
        { "Native", Dropped, "Compared+" },
        { "Native", Good | PeerWants, "Compared" },
        { "Native", Good | PeerTunnels, "Compared" },
        { "Native", Good | TunnelGood | PeerTunnels, "Compared" },

        { "Compared+", Dropped, "Compared+" },
        { "Compared+", Dropped | TunnelBad, "Compared+" },
        { "Compared+", Dropped | TunnelGood, "Tunnel+" },
        { "Compared+", Good | TunnelGood, "Tunnel+" },
        { "Compared+", Good, "Compared+" },
        { "Compared+", Proven, "Native" },
        { "Compared+", Proven | PeerWants, "Compared" },
        { "Compared+", Proven | TunnelGood, "Native" },
        { "Compared", PathFacts.None, "Compared" },
        { "Compared", Good, "Compared" },
        { "Compared", Proven, "Native" },
        { "Compared", Dropped, "Compared+" },
        { "Compared", Dropped | TunnelGood, "Tunnel+" },
        { "Compared", Good | TunnelGood | PeerWants, "Compared" },
        { "Compared", Good | TunnelGood | PeerTunnels, "Compared" },
        { "Compared", Proven | TunnelGood | PeerTunnels, "Compared" },
        { "Compared", Good | TunnelGood | PeerTunnels | PeerWants, "Tunnel+" },
        { "Compared", Proven | TunnelGood | PeerTunnels | PeerWants, "Tunnel+" },
        { "Compared", Proven | TunnelBad | PeerTunnels, "Compared" },

        { "Tunnel+", PathFacts.None, "Tunnel+" },
        { "Tunnel+", TunnelGood | PeerWants, "Tunnel+" },
        { "Tunnel+", Good | TunnelGood | PeerWants | PeerTunnels, "Tunnel+" },
        { "Tunnel+", Proven | TunnelGood | PeerWants | PeerTunnels, "Tunnel" },
        { "Tunnel+", Good | TunnelGood | PeerTunnels, "Compared" },
        { "Tunnel+", Good | TunnelGood, "Native" },
        { "Tunnel+", TunnelGood | PeerTunnels, "Tunnel+" },
        { "Tunnel+", TunnelGood, "Tunnel+" },
        { "Tunnel", Good | PeerWants | PeerTunnels, "Tunnel+" },
        { "Tunnel", TunnelGood | PeerWants | PeerTunnels, "Tunnel+" },
        { "Tunnel", Proven | PeerTunnels, "Compared" },
        { "Tunnel", Proven, "Native" },
        { "Tunnel+", TunnelBad | PeerWants | PeerTunnels, "Tunnel+" },
        { "Tunnel+", Good | TunnelBad, "Native" },
        { "Tunnel+", Good | TunnelBad | PeerWants | PeerTunnels, "Compared" },
        { "Tunnel+", TunnelBad, "Compared+" },
        { "Tunnel+", TunnelBad | PeerTunnels, "Tunnel+" },
        { "Tunnel+", TunnelBad | PeerWants, "Tunnel+" },
        { "Tunnel+", Dropped | TunnelBad | PeerWants | PeerTunnels, "Tunnel+" },
    };

    [Theory]
    [MemberData(nameof(Decisions))]
    public void The_next_state_follows_from_the_state_and_what_is_known(string now, object facts, string expected) =>
        Assert.Equal(expected, Text(PathDecision.Next(Parse(now), (PathFacts)facts)));

    [Theory]
    [InlineData(TunnelMode.Off, false, false, "Undecided")]
    [InlineData(TunnelMode.Off, true, true, "Undecided")]
    [InlineData(TunnelMode.Auto, false, false, "Native")]
    [InlineData(TunnelMode.Auto, false, true, "Compared")]
    [InlineData(TunnelMode.Auto, true, true, "Tunnel+")]
    [InlineData(TunnelMode.Always, false, false, "Tunnel+")]
    [InlineData(TunnelMode.Always, true, true, "Tunnel+")]
    internal void What_is_installed_is_kept_at_first(TunnelMode mode, bool isTunnelled, bool isCompared, string expected) =>
        Assert.Equal(expected, Text(PathDecision.First(mode, isTunnelled, isCompared)));

    [Theory]
    [InlineData("Undecided", ProbeFlags.None)]
    [InlineData("Native", ProbeFlags.None)]
    [InlineData("Compared", ProbeFlags.None)]
    [InlineData("Compared+", ProbeFlags.WantsTunnel)]
    [InlineData("Tunnel", ProbeFlags.TunnelsToYou)]
    [InlineData("Tunnel+", ProbeFlags.TunnelsToYou | ProbeFlags.WantsTunnel)]
    internal void The_flags_say_what_this_node_does_and_needs(string state, ProbeFlags expected) =>
        Assert.Equal(expected, Parse(state).Flags);

    // Whatever both ends measure, once it stays the same they come to rest.
    [Fact]
    public void Two_ends_come_to_rest()
    {
        PathFacts[] natives = [PathFacts.None, Good, Proven, Dropped], tunnels = [PathFacts.None, TunnelGood, TunnelBad];
        string[] states = ["Native", "Compared", "Compared+", "Tunnel", "Tunnel+"];
        foreach (string a in states)
        {
            foreach (string b in states)
            {
                foreach (PathFacts native in natives)
                {
                    foreach (PathFacts tunnel in tunnels)
                        ComeToRest(Parse(a), Parse(b), native | tunnel);
                }
            }
        }
    }

    private static void ComeToRest(PathState a, PathState b, PathFacts measured)
    {
        (PathState, PathState) start = (a, b), last = default;
        for (int i = 0; i < 12; i++)
        {
            last = (a, b);
            a = PathDecision.Next(a, measured | Heard(b));
            b = PathDecision.Next(b, measured | Heard(a));
        }
        Assert.True(last == (a, b), $"{start} with {measured}: {last}, {(a, b)}");
        Assert.True((a.Path == PeerPath.Tunnel) == (b.Path == PeerPath.Tunnel) || !measured.HasFlag(TunnelGood), $"{start} with {measured}: {last}");
    }

    private static PathFacts Heard(PathState peer) =>
        (peer.Flags.HasFlag(ProbeFlags.WantsTunnel) ? PeerWants : PathFacts.None) |
        (peer.Flags.HasFlag(ProbeFlags.TunnelsToYou) ? PeerTunnels : PathFacts.None);

    private static PathState Parse(string text) => new(Enum.Parse<PeerPath>(text.TrimEnd('+')), text.EndsWith('+'));

    private static string Text(PathState state) => $"{state.Path}{(state.Wants ? "+" : "")}";
}
