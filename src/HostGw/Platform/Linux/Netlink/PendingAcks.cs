namespace HostGw.Platform.Linux.Netlink;

/// <summary>Which messages of one send the kernel has not answered yet, by sequence number.</summary>
internal sealed class PendingAcks
{
    private const ushort NLM_F_ACK = 4;

    private readonly Dictionary<uint, int> _indexBySequence = [];
    private readonly HashSet<uint> _silent = [];

    /// <param name="firstIndex">The number of the first message within its batch.</param>
    public PendingAcks(ReadOnlySpan<byte> sent, int firstIndex)
    {
        var messages = new NetlinkMessages(sent);
        for (int index = firstIndex; messages.Next(); index++)
        {
            if ((messages.Header.Flags & NLM_F_ACK) != 0)
                _indexBySequence.Add(messages.Header.Sequence, index);
            else
                _silent.Add(messages.Header.Sequence);
        }
    }

    public int Count => _indexBySequence.Count;

    /// <summary>True for a message that asked for no ack: what the kernel says of it, it says of the whole transaction.</summary>
    public bool IsSilent(uint sequence) => _silent.Contains(sequence);

    public bool TryTake(uint sequence, out int index) => _indexBySequence.Remove(sequence, out index);
}
