using System.Buffers;

namespace HostGw.Nodes;

/// <summary>Carries a response body to a decoder through one pooled buffer, which never grows: of a string that would not fit only the beginning is kept.</summary>
internal static class BodyPump
{
    /// <summary>
    /// Bytes. A kubelet can write strings into its Node that fill all that etcd takes (1.5 MB), and JSON makes up to six
    /// bytes of one: refusing or holding them would let one node do harm to every agent.
    /// </summary>
    public const int MaxToken = 64 * 1024;

    /// <summary>Reads to the end of the stream.</summary>
    /// <param name="endsDocument">The end of the stream must be the end of a document.</param>
    /// <exception cref="NodeStreamException">What comes is broken, or a token that is no string is too long.</exception>
    public static async Task RunAsync(Stream stream, INodeDecoder decoder, bool endsDocument, CancellationToken cancellationToken)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(MaxToken);
        LongString tooLong = new();
        int length = 0;
        try
        {
            while (true)
            {
                int read = await stream.ReadAsync(buffer.AsMemory(length), cancellationToken);
                if (read == 0)
                    break;
                length += tooLong.IsOpen ? tooLong.Drop(buffer.AsSpan(length, read)) : read;
                if (!tooLong.IsOpen)
                    length = Decode(decoder, buffer, length, tooLong);
            }
            if (endsDocument)
                decoder.Decode(buffer.AsSpan(0, length), isFinal: true);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // Returns how many bytes must come again, with more.
    private static int Decode(INodeDecoder decoder, byte[] buffer, int length, LongString tooLong)
    {
        int consumed = decoder.Decode(buffer.AsSpan(0, length), isFinal: false);
        buffer.AsSpan(consumed, length - consumed).CopyTo(buffer);
        length -= consumed;
        if (length < buffer.Length)
            return length;

        int left = tooLong.Begin(buffer);
        return left >= 0 ? left : throw new NodeStreamException($"The API server sent a token of more than {MaxToken} bytes");
    }
}
