using HostGw.Platform.Linux.Census;
using HostGw.Platform.Linux.Iptables;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Nftables;
using static HostGw.Platform.Linux.Nftables.NfTables;

namespace HostGw.Platform.Linux;

/// <summary>Decides which notifications of nf_tables wake a pass, and remembers which program changed rules last.</summary>
/// <param name="isOwnPort">Whether it is a netlink port of HostGw's own changes.</param>
/// <param name="guards">Collects what they say of the guards.</param>
internal sealed class RuleNotifications(Func<uint, bool> isOwnPort, GuardNews guards)
{
    // iptables-nft-restore and ip6tables-nft-restore as the kernel truncates them; other programs call iptables-restore.
    private static readonly string[] OwnPrograms = ["iptables-nft-re", "ip6tables-nft-r"];

    // Their parents are the built-in chains of iptables-nft. kube-proxy's frequent changes are in other chains.
    private static readonly OwnChain[] IptablesChains = [OwnChain.Masquerade, OwnChain.Forward];

    private volatile string _writer = "";
    private bool _isInTransaction;

    /// <summary>The program that last changed rules that concern HostGw; empty if none did. Thread-safe.</summary>
    public string Writer => _writer;

    public WakeCauses Read(ReadOnlySpan<byte> datagram)
    {
        WakeCauses causes = WakeCauses.None;
        var messages = new NetlinkMessages(datagram);
        while (messages.Next())
        {
            if (isOwnPort(messages.Header.PortId))
                continue;
            if (Concerns(messages.Header.Type, messages.Payload))
                (_isInTransaction, causes) = (true, causes | CauseOf(messages.Header.Type, messages.Payload));
            // Every transaction ends with a message that names its program.
            else if (_isInTransaction && ProgramOf(messages.Header.Type, messages.Payload) is { } program)
                (_isInTransaction, _writer) = (false, OwnPrograms.Contains(program) ? _writer : program);
        }
        return causes;
    }

    private WakeCauses CauseOf(ushort type, ReadOnlySpan<byte> payload)
    {
        if (String(NfGenMsg.AttributesOf(payload), NFTA_TABLE_NAME) != GuardRuleset.TableName)
            return WakeCauses.Nat;
        guards.Add(type, payload);
        return WakeCauses.Guards;
    }

    /// <summary>True for a change of HostGw's rules, or of chains and tables that decide over them.</summary>
    public static bool Concerns(ushort type, ReadOnlySpan<byte> payload)
    {
        if (type >> 8 != NFNL_SUBSYS_NFTABLES)
            return false;

        // The table's name is attribute 1 of tables, chains, rules, sets, elements, objects and flowtables alike.
        ReadOnlySpan<byte> attributes = NfGenMsg.AttributesOf(payload);
        string table = String(attributes, NFTA_TABLE_NAME);
        if (table is MasqueradeRuleset.TableName or GuardRuleset.TableName)
            return true;
        return (byte)type switch
        {
            NFT_MSG_NEWTABLE or NFT_MSG_DELTABLE => AgentTables.Contain(table) || IsIptablesTable(table),
            NFT_MSG_NEWCHAIN or NFT_MSG_DELCHAIN => IsIptablesChain(table, String(attributes, NFTA_CHAIN_NAME)) || IsForwardChain(payload),
            NFT_MSG_NEWRULE or NFT_MSG_DELRULE => IsIptablesChain(table, String(attributes, NFTA_RULE_CHAIN)),
            _ => false,
        };
    }

    /// <summary>The program whose transaction ends with this message; null for any other message, and from old kernels.</summary>
    public static string? ProgramOf(ushort type, ReadOnlySpan<byte> payload)
    {
        if (type != ((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWGEN))
            return null;
        string name = String(NfGenMsg.AttributesOf(payload), NFTA_GEN_PROC_NAME);
        return name.Length > 0 ? name : null;
    }

    private static bool IsIptablesTable(string table)
    {
        foreach (OwnChain own in IptablesChains)
        {
            if (own.Table == table)
                return true;
        }
        return false;
    }

    private static bool IsIptablesChain(string table, string chain)
    {
        foreach (OwnChain own in IptablesChains)
        {
            if (own.Table == table && (own.Parent == chain || own.Name == chain))
                return true;
        }
        return false;
    }

    private static bool IsForwardChain(ReadOnlySpan<byte> payload) =>
        NftParser.Chain(payload, out _) is { Type: "filter", Hook: NF_INET_FORWARD };

    private static string String(ReadOnlySpan<byte> attributes, ushort type) =>
        NetlinkAttributes.ReadString(NetlinkAttributes.Find(attributes, type));
}
