using System.Net.Sockets;
using HostGw.FakeApi;
using HostGw.Lab.Topology;

namespace HostGw.Lab;

/// <summary>The Kubernetes API server of the lab, on the nodes' segment.</summary>
public sealed class ControlPlane : IAsyncDisposable
{
    public const string KubeconfigPath = $"{Box.Directory}/kubeconfig";

    private const int Port = 6443;

    private readonly string _credentials = $"{Box.Directory}/credentials";

    private ControlPlane(FakeApiServer server, bool credentialFiles)
    {
        Server = server;
        server.WriteKubeconfig(Kubeconfig);
        if (!credentialFiles)
            return;
        WriteCredentials();
        File.WriteAllText(Kubeconfig, $$$"""
            apiVersion: v1
            kind: Config
            current-context: c
            contexts: [{name: c, context: {cluster: k, user: u}}]
            clusters: [{name: k, cluster: {server: '{{{server.Uri}}}', certificate-authority: {{{_credentials}}}/ca.crt}}]
            users: [{name: u, user: {tokenFile: {{{_credentials}}}/token}}]
            """);
    }

    public FakeApiServer Server { get; }

    /// <summary>Path of a kubeconfig that works on every node.</summary>
    public string Kubeconfig { get; } = KubeconfigPath;

    public static async Task<ControlPlane> StartAsync(Segment segment, ClusterSettings settings) => new(await FakeApiServer.StartAsync(new FakeApiOptions
    {
        Listen = [.. Addressing.ApiServer.Select(address => new IPEndPoint(address, Port))],
        Bind = endpoint => segment.Network.Run(() => Bind(endpoint)),
    }), settings.CredentialFiles);

    /// <summary>Puts the present token and authority where agents look for them.</summary>
    public void WriteCredentials() => Server.WriteServiceAccount(_credentials);

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    private static Socket Bind(EndPoint endpoint)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(endpoint);
        return socket;
    }
}
