using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Platform.Linux;

/// <summary>Decides whether a message of nf_tables is worth a pass, and remembers who last changed what is.</summary>
/// <param name="ownPort">The port whose changes are our own.</param>
internal sealed class RuleNews(Func<uint> ownPort)
{
    // The names of iptables-nft-restore and its sister as the kernel cuts them; others call iptables-restore.
    private static readonly string[] OwnPrograms = ["iptables-nft-re", "ip6tables-nft-r"];

    private volatile string _writer = "";
    private bool _isOpen;

    /// <summary>The program that last changed rules that concern us; empty where none was heard of. Any thread may ask.</summary>
    public string Writer => _writer;

    public WakeCauses Read(ReadOnlySpan<byte> datagram)
    {
        WakeCauses causes = WakeCauses.None;
        var messages = new NetlinkMessages(datagram);
        while (messages.Next())
        {
            if (messages.Header.PortId == ownPort())
                continue;
            if (NftNotification.Concerns(messages.Header.Type, messages.Payload))
                (_isOpen, causes) = (true, WakeCauses.Nat);
            // Every transaction ends with a message that names its program.
            else if (_isOpen && NftNotification.Writer(messages.Header.Type, messages.Payload) is { } writer)
                (_isOpen, _writer) = (false, OwnPrograms.Contains(writer) ? _writer : writer);
        }
        return causes;
    }
}
