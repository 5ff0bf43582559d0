using System.Buffers;

namespace HostGw.Nodes;

/// <summary>Carries a response body to a decoder through one pooled buffer, which grows only to the longest token.</summary>
internal static class BodyPump
{
    /// <summary>Bytes. No string in a Node comes near: an object in etcd is 1.5 MB at most.</summary>
    public const int MaxToken = 4 * 1024 * 1024;

    private const int Initial = 32 * 1024;

    /// <summary>Reads to the end of the stream.</summary>
    /// <param name="endsDocument">The end of the stream must be the end of a document.</param>
    /// <exception cref="NodeStreamException">What comes is broken, or a token is too long.</exception>
    public static async Task RunAsync(Stream stream, INodeDecoder decoder, bool endsDocument, CancellationToken cancellationToken)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(Initial);
        int length = 0;
        try
        {
            while (true)
            {
                int read = await stream.ReadAsync(buffer.AsMemory(length), cancellationToken);
                if (read == 0)
                    break;
                length += read;
                int consumed = decoder.Decode(buffer.AsSpan(0, length), isFinal: false);
                buffer = Keep(buffer, consumed, length - consumed);
                length -= consumed;
            }
            if (endsDocument)
                decoder.Decode(buffer.AsSpan(0, length), isFinal: true);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // Grows when a token fills the buffer, shrinks when that token is gone.
    private static byte[] Keep(byte[] buffer, int start, int count)
    {
        bool grow = count == buffer.Length, shrink = buffer.Length > 2 * Initial && count < Initial;
        if (grow && count >= MaxToken)
            throw new NodeStreamException($"The API server sent a token of more than {MaxToken} bytes");

        byte[] target = grow ? ArrayPool<byte>.Shared.Rent(count * 2) : shrink ? ArrayPool<byte>.Shared.Rent(Initial) : buffer;
        buffer.AsSpan(start, count).CopyTo(target);
        if (target != buffer)
            ArrayPool<byte>.Shared.Return(buffer);
        return target;
    }
}
