using System.Net.Sockets;
using System.Text;

namespace HostGw.Status;

/// <summary>One request over a connection, its answer, and the end.</summary>
internal static class HttpExchange
{
    /// <exception cref="SocketException">The other side is gone.</exception>
    public static async Task RunAsync(Socket connection, Func<RequestHead, HttpAnswer> answer, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[RequestHead.MaxBytes];
        int length = await ReadAsync(connection, buffer, cancellationToken);
        RequestHead? request = RequestHead.IsWhole(buffer.AsSpan(0, length)) ? RequestHead.Parse(buffer.AsSpan(0, length)) : null;
        HttpAnswer reply = request is { } head ? answer(head)
            : length == buffer.Length ? HttpAnswer.Text("the request is too long", 431)
            : HttpAnswer.Text("that is no request", 400);

        await SendAsync(connection, Encoding.ASCII.GetBytes(reply.Head), cancellationToken);
        if (request?.Method != "HEAD")
            await SendAsync(connection, reply.Body, cancellationToken);
        connection.Shutdown(SocketShutdown.Send);

        // Closed with bytes unread, the connection is reset, and the answer lost on its way (RFC 9112 9.6).
        for (int most = 64; most > 0 && await connection.ReceiveAsync(buffer, SocketFlags.None, cancellationToken) > 0;)
            most--;
    }

    private static async Task<int> ReadAsync(Socket connection, byte[] buffer, CancellationToken cancellationToken)
    {
        int length = 0;
        while (length < buffer.Length && !RequestHead.IsWhole(buffer.AsSpan(0, length)))
        {
            int read = await connection.ReceiveAsync(buffer.AsMemory(length), SocketFlags.None, cancellationToken);
            if (read == 0)
                break;
            length += read;
        }
        return length;
    }

    private static async Task SendAsync(Socket connection, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[await connection.SendAsync(bytes, SocketFlags.None, cancellationToken)..];
    }
}
