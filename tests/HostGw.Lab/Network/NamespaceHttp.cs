using System.Net.Sockets;

namespace HostGw.Lab.Network;

/// <summary>HTTP from inside a namespace.</summary>
internal static class NamespaceHttp
{
    /// <summary>A client whose connections are made in the namespace, wherever its callers run.</summary>
    /// <param name="network">Null: this process's own.</param>
    public static HttpClient In(NetworkNamespace? network)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = network is null
                ? null
                : (context, _) => ValueTask.FromResult<Stream>(network.Run(() => Connect(context.DnsEndPoint))),
            UseProxy = false,
        };
        return new(handler) { Timeout = TimeSpan.FromSeconds(60) };
    }

    private static NetworkStream Connect(DnsEndPoint endpoint)
    {
        IPAddress address = IPAddress.Parse(endpoint.Host);
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Connect(address, endpoint.Port);
            return new(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
