using System.Net.Sockets;
using HostGw.FakeApi;

namespace HostGw.Windows.Tests;

/// <summary>Probes of a Windows node with the sockets that Wine has. The node's address must be one of this system's.</summary>
public sealed class ProbeTests : WindowsNodeTest
{
    private const string Here = "127.80.0.4", Linux = "127.80.0.1", Stranger = "127.80.0.99";

    /// <summary>A question as <c>ProbeDatagram</c> writes it: magic, version, kind, flags, number, nonce, zeros.</summary>
    private static byte[] Question(int length = 64)
    {
        byte[] bytes = new byte[length];
        "hgwp"u8.CopyTo(bytes);
        (bytes[4], bytes[5], bytes[11]) = (1, (byte)(length > 64 ? 3 : 1), 7);
        for (int i = 12; i < 28; i++)
            bytes[i] = (byte)i;
        return bytes;
    }

    [Theory]
    [InlineData(64)]
    [InlineData(1472)]
    public async Task A_peers_question_is_answered(int length)
    {
        int port = FreePort();
        await using WindowsAgent agent = StartProbing(port);
        using Socket peer = At(Linux);
        (byte[] answer, IPEndPoint from) = await AskAsync(agent, peer, port, length);
        // Wine binds to the interface of the address, and this system chooses from which one the answer comes.
        Assert.Equal(port, from.Port);
        byte[] expected = Question();
        expected[5] = 2;
        Assert.Equal(expected, answer);
    }

    [Fact]
    public async Task A_strangers_is_not()
    {
        int port = FreePort();
        await using WindowsAgent agent = StartProbing(port);
        using Socket peer = At(Linux), stranger = At(Stranger);
        await AskAsync(agent, peer, port, 64);
        stranger.SendTo(Question(), new IPEndPoint(IPAddress.Parse(Here), port));
        // Its socket received that before this one.
        await AskAsync(agent, peer, port, 64);
        Assert.Equal(0, stranger.Available);
    }

    private WindowsAgent StartProbing(int port)
    {
        Api.Nodes.Put(new NodeSpec("linux-a") { PodCidrs = ["10.244.1.0/24"], InternalIPs = [Linux, "10.0.0.1"] });
        Api.Nodes.Put(new NodeSpec(Name) { PodCidrs = ["10.244.4.0/24"], InternalIPs = [Here, "10.0.0.4"], OperatingSystem = "windows" });
        return StartAgent("--probe-port", $"{port}", "--log-level", "debug");
    }

    // Until the agent has its sockets and knows the peer, nothing is answered.
    private static async Task<(byte[] Answer, IPEndPoint From)> AskAsync(WindowsAgent agent, Socket peer, int port, int length)
    {
        await agent.EventuallyAsync(
            () =>
            {
                peer.SendTo(Question(length), new IPEndPoint(IPAddress.Parse(Here), port));
                return peer.Poll(TimeSpan.FromMilliseconds(500), SelectMode.SelectRead);
            },
            () => "no answer");
        byte[] bytes = new byte[100];
        SocketReceiveFromResult received =
            await peer.ReceiveFromAsync(bytes, new IPEndPoint(IPAddress.Any, 0), TestContext.Current.CancellationToken);
        return (bytes[..received.ReceivedBytes], (IPEndPoint)received.RemoteEndPoint);
    }

    private static Socket At(string address)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
        return socket;
    }

    private static int FreePort()
    {
        using Socket socket = At(Here);
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
