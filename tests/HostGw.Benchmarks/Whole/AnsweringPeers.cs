using HostGw.FakeApi;
using HostGw.Lab.Network;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Platform.Linux;
using HostGw.Probes;
using Ip = HostGw.Net.Ip;

namespace HostGw.Benchmarks.Whole;

/// <summary>
/// The machines of all nodes but the first, in one network namespace: its kernel has their addresses and forwards to their pods, and one
/// thread of this process answers the agent's probes and asks as often as they do.
/// </summary>
internal sealed class AnsweringPeers : IDisposable
{
    public const int Port = 9158;

    /// <summary>Between two rounds of one peer: the agents' default.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private const int AgentsTurn = 6;

    private readonly Site _site;
    private readonly NetworkNamespace _network = new("peers");
    private readonly (Ip Node, Ip Pod)[] _peers;
    private readonly (Ip Node, Ip Pod) _machine;
    private readonly DatagramSocket _server, _client;
    private readonly Thread _thread;
    private int _asker;
    private volatile bool _isStopping;

    /// <param name="site">A cluster of so many nodes, and one more.</param>
    public AnsweringPeers(Site site, int count)
    {
        (_site, _machine) = (site, Addresses(1));
        _peers = [.. Enumerable.Range(2, count).Select(Addresses)];
        SetOthers("down");
        site.Attach(_network);
        _network.Configure(
        [
            "link set eth0 up", $"address add {_peers[0].Node}/{Site.OnLink} dev eth0",
            "link add pod0 type veth peer name pod1", "link set pod0 up", "link set pod1 up",
            $"route add {NodeFactory.Node(1).PodCidrs[0]} via {_machine.Node} dev eth0",
            .. Enumerable.Range(2, count).Select(number => $"route add {NodeFactory.Node(number).PodCidrs[0]} dev pod0"),
            .. _peers.Skip(1).Select(p => $"route add local {p.Node}/32 dev lo table local"),
            .. _peers.Select(p => $"route add local {p.Pod}/32 dev lo table local"),
        ]);
        _network.Sysctl("ipv4/ip_forward", "1");
        // One kernel says 'time exceeded' for hundreds.
        _network.Sysctl("ipv4/icmp_ratelimit", "0");
        (_server, _client) = _network.Run(() => (DatagramSocket.Server(isIPv4: true, Port), DatagramSocket.Client(isIPv4: true)));
        _thread = new(Run) { IsBackground = true, Name = "peers" };
        _thread.Start();
    }

    public void Dispose()
    {
        _isStopping = true;
        _thread.Join();
        _server.Dispose();
        _client.Dispose();
        NetworkNamespace.Delete([_network.Name]);
        SetOthers("up");
    }

    // The site's other machines have addresses of these nodes.
    private void SetOthers(string state)
    {
        foreach (NetworkNamespace other in _site.Machines.Skip(1))
            other.Configure([$"link set eth0 {state}"]);
    }

    private static (Ip Node, Ip Pod) Addresses(int number)
    {
        NodeSpec node = NodeFactory.Node(number);
        return (Ip.Parse(node.InternalIPs[0]), Prefix.Parse(node.PodCidrs[0]).Address);
    }

    private void Run()
    {
        TimeSpan between = Interval / _peers.Length;
        Span<byte> bytes = stackalloc byte[ProbeDatagram.Size + 1];
        while (!_isStopping)
        {
            Ask(_peers[_asker++ % _peers.Length]);
            for (TimeSpan waited = default; waited < between; waited += TimeSpan.FromMilliseconds(1))
            {
                while (_server.TryReceive(bytes, out ReceivedDatagram question))
                    Answer(bytes, question);
                while (_client.TryReceive(bytes, out _) || _client.TryReceiveError(bytes, out _))
                {
                    // An answer of the agent: that it came is enough.
                }
                Thread.Sleep(1);
            }
        }
    }

    private void Answer(Span<byte> bytes, in ReceivedDatagram received)
    {
        if (!ProbeDatagram.TryRead(bytes[..received.Length], out ProbeDatagram question, out _))
            return;
        ProbeFlags flags = received.Hops == ProbeDatagram.AllHops ? ProbeFlags.MetNoRouter : ProbeFlags.None;
        (question with { Kind = ProbeKind.Answer, Flags = flags }).Write(bytes);
        _server.Send(bytes[..ProbeDatagram.Size], received.To, received.From, received.Port);
    }

    // As the agent of a peer asks one that answers: its kernel in every round, and its agent in every sixth.
    private void Ask((Ip Node, Ip Pod) peer)
    {
        Span<byte> bytes = stackalloc byte[ProbeDatagram.Size];
        new ProbeDatagram(ProbeKind.Question, ProbeFlags.None, 0, new(1, 2)).Write(bytes);
        if (_asker % AgentsTurn == 0)
            _client.Send(bytes, peer.Pod, _machine.Pod, Port);
        _client.Send(bytes, peer.Pod, ProbeAddress.Beyond(Prefix.Parse(NodeFactory.Node(1).PodCidrs[0])), Port, hops: 1);
    }
}
