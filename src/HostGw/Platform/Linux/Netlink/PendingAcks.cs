namespace HostGw.Platform.Linux.Netlink;

/// <summary>Which messages of one send the kernel has not answered yet, by sequence number.</summary>
internal sealed class PendingAcks
{
    private const ushort NLM_F_ACK = 4;

    private readonly Dictionary<uint, int> _indexBySequence = [];

    /// <param name="firstIndex">The number of the first message within its batch.</param>
    public PendingAcks(ReadOnlySpan<byte> sent, int firstIndex)
    {
        var messages = new NetlinkMessages(sent);
        for (int index = firstIndex; messages.Next(); index++)
        {
            if ((messages.Header.Flags & NLM_F_ACK) != 0)
                _indexBySequence.Add(messages.Header.Sequence, index);
        }
    }

    public int Count => _indexBySequence.Count;

    public bool TryTake(uint sequence, out int index) => _indexBySequence.Remove(sequence, out index);
}
