using System.Net.Sockets;
using HostGw.FakeApi;
using HostGw.Lab.Topology;

namespace HostGw.Lab;

/// <summary>The Kubernetes API server of the lab, on the nodes' segment.</summary>
public sealed class ControlPlane : IAsyncDisposable
{
    private const int Port = 6443;

    private ControlPlane(FakeApiServer server)
    {
        Server = server;
        server.WriteKubeconfig(Kubeconfig);
    }

    public FakeApiServer Server { get; }

    /// <summary>Path of a kubeconfig that works on every node.</summary>
    public string Kubeconfig { get; } = $"{Box.Directory}/kubeconfig";

    public static async Task<ControlPlane> StartAsync(Segment segment, bool protobuf) => new(await FakeApiServer.StartAsync(new FakeApiOptions
    {
        Listen = [.. Addressing.ApiServer.Select(address => new IPEndPoint(address, Port))],
        Bind = endpoint => segment.Network.Run(() => Bind(endpoint)),
        Protobuf = protobuf,
    }));

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    private static Socket Bind(EndPoint endpoint)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(endpoint);
        return socket;
    }
}
