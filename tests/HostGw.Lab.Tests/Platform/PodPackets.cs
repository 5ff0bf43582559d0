using System.Net.Sockets;
using HostGw.Lab.Network;

namespace HostGw.Lab.Tests.Platform;

/// <summary>New connections between a pod of this node, one of another node, and the Internet: which packets are lost or rewritten.</summary>
internal sealed class PodPackets(NftablesNetwork network)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(25);
    private const int Attempts = 2;

    /// <summary>The same of packets that should arrive: one that is late on a busy machine does so at another attempt.</summary>
    public string HarmThatStays(bool ipv4)
    {
        string harm = "";
        SpinWait.SpinUntil(() => (harm = Harm(ipv4)).Length == 0, Expect.Patience);
        return harm;
    }

    /// <summary>Empty: every packet arrives with the address of its pod.</summary>
    public string Harm(bool ipv4)
    {
        (string own, string peer, string outside) = ipv4
            ? ("10.244.1.5", "10.244.2.5", "142.250.74.100")
            : ("fd00:10:244:1::5", "fd00:10:244:2::5", "2a00:1450:4001:830::2004");
        foreach (ProtocolType protocol in (ProtocolType[])[ProtocolType.Udp, ProtocolType.Tcp])
        {
            foreach ((NetworkNamespace from, string source, NetworkNamespace to, string destination) in
                ((NetworkNamespace, string, NetworkNamespace, string)[])
                [
                    (network.Pod, own, network.Outside, peer), (network.Outside, peer, network.Pod, own), (network.Pod, own, network.Outside, outside),
                ])
            {
                string seen = "lost";
                for (int i = 0; i < Attempts && seen == "lost"; i++)
                    seen = protocol == ProtocolType.Udp ? Udp(from, source, to, destination) : Tcp(from, source, to, destination);
                if (seen == "lost" || (seen != source && destination != outside))
                    return $"{protocol} {source} > {destination}: {seen}";
            }
        }
        return "";
    }

    private static string Udp(NetworkNamespace from, string source, NetworkNamespace to, string destination)
    {
        using Socket server = to.Run(() => Bound(destination, SocketType.Dgram));
        using Socket client = from.Run(() => Bound(source, SocketType.Dgram));
        byte[] buffer = new byte[8];
        EndPoint sender = new IPEndPoint(client.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        if (!TrySend(client, server.LocalEndPoint!) || !server.Poll(Patience, SelectMode.SelectRead))
            return "lost";
        server.ReceiveFrom(buffer, ref sender);
        if (!TrySend(server, sender) || !client.Poll(Patience, SelectMode.SelectRead))
            return "lost";
        return ((IPEndPoint)sender).Address.ToString();
    }

    private static string Tcp(NetworkNamespace from, string source, NetworkNamespace to, string destination)
    {
        using Socket listener = to.Run(() => Bound(destination, SocketType.Stream));
        listener.Listen();
        using Socket client = from.Run(() => Bound(source, SocketType.Stream));
        client.Blocking = false;
        try
        {
            client.Connect(listener.LocalEndPoint!);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
        {
            // It is under way.
        }
        catch (SocketException)
        {
            return "lost";
        }
        if (!client.Poll(Patience, SelectMode.SelectWrite) || !listener.Poll(Patience, SelectMode.SelectRead))
            return "lost";
        using Socket accepted = listener.Accept();
        return ((IPEndPoint)accepted.RemoteEndPoint!).Address.ToString();
    }

    // A drop at the sender's own hooks is none of ours: pods have no rules.
    private static bool TrySend(Socket socket, EndPoint to)
    {
        try
        {
            return socket.SendTo("x"u8, to) == 1;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static Socket Bound(string address, SocketType type)
    {
        IPAddress ip = IPAddress.Parse(address);
        Socket socket = new(ip.AddressFamily, type, type == SocketType.Dgram ? ProtocolType.Udp : ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(ip, 0));
        return socket;
    }
}
