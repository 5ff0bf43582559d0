using System.Buffers.Binary;
using System.Text;
using HostGw.Platform.Linux.Netlink;
using static HostGw.Platform.Linux.Netlink.NetlinkFlags;
using static HostGw.Platform.Linux.Nftables.NfTables;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>Encodes one nf_tables transaction, which the kernel executes as a whole or not at all.</summary>
internal sealed class NftBatch
{
    private readonly NetlinkWriter _writer = new();
    private readonly List<string> _what = [];
    private readonly Func<uint> _nextSequence;
    private readonly string _table;

    /// <param name="table">The name of the tables that it changes.</param>
    public NftBatch(Func<uint> nextSequence, string table)
    {
        (_nextSequence, _table) = (nextSequence, table);
        BatchMessage(NFNL_MSG_BATCH_BEGIN, "begin a transaction");
    }

    /// <summary>True while nothing has been added.</summary>
    public bool IsEmpty => Messages.Count == 1;

    public NetlinkWriter Messages => _writer;

    /// <summary>What message <paramref name="index"/> requests, in words.</summary>
    public string What(int index) => _what[index];

    /// <summary>Ends the transaction; nothing can be added afterwards.</summary>
    public NetlinkWriter Finish()
    {
        BatchMessage(NFNL_MSG_BATCH_END, "end a transaction");
        return _writer;
    }

    /// <summary>Removes a table of HostGw's, whether it exists or not: it is added first, so that the deletion succeeds.</summary>
    public void Clear(NftFamily family)
    {
        TableMessage(NFT_MSG_NEWTABLE, NLM_F_CREATE, family, "add");
        TableMessage(NFT_MSG_DELTABLE, 0, family, "delete");
    }

    /// <summary>Removes a foreign table.</summary>
    public void Delete(NftFamily family) => TableMessage(NFT_MSG_DELTABLE, 0, family, "delete");

    /// <summary>Removes a foreign rule.</summary>
    public void DeleteRule(NftFamily family, string chain, ulong handle)
    {
        Begin(NFT_MSG_DELRULE, 0, family, $"delete a rule of table {Name(family)}");
        _writer.Attribute(NFTA_RULE_TABLE, _table);
        _writer.Attribute(NFTA_RULE_CHAIN, chain);
        _writer.Attribute(NFTA_RULE_HANDLE, BinaryPrimitives.ReverseEndianness(handle));
        _writer.End();
    }

    /// <summary>Writes the rules of a chain again, in the place of those that are there.</summary>
    public void Refill(NftFamily family, NftChain chain, bool isEmpty)
    {
        if (!isEmpty)
        {
            Begin(NFT_MSG_DELRULE, 0, family, $"delete the rules of chain {chain.Name} of table {Name(family)}");
            _writer.Attribute(NFTA_RULE_TABLE, _table);
            _writer.Attribute(NFTA_RULE_CHAIN, chain.Name);
            _writer.End();
        }
        AddRules(family, chain);
    }

    /// <summary>Creates a table. If it exists, the transaction fails.</summary>
    public void Build(NftTable table)
    {
        TableMessage(NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL, table.Family, "add");
        uint id = 0;
        foreach (NftSet set in table.Sets)
        {
            AddSet(table.Family, set, ++id);
            AddElements(table.Family, set.Name, set.Elements.AsSpan());
        }
        // All chains first: a rule may jump to any.
        foreach (NftChain chain in table.Chains)
            AddChain(table.Family, chain);
        foreach (NftChain chain in table.Chains)
            AddRules(table.Family, chain);
    }

    public void AddElements(NftFamily family, string set, ReadOnlySpan<AddressRange> elements) => NftElements.Write(
        _writer, _table, set, elements,
        () => Begin(NFT_MSG_NEWSETELEM, NLM_F_CREATE, family, $"add elements to set {set} of table {Name(family)}"));

    public void DeleteElements(NftFamily family, string set, ReadOnlySpan<AddressRange> elements) => NftElements.Write(
        _writer, _table, set, elements,
        () => Begin(NFT_MSG_DELSETELEM, 0, family, $"delete elements from set {set} of table {Name(family)}"));

    private void AddChain(NftFamily family, NftChain chain)
    {
        string type = chain.HasHook ? $" (type {chain.Type})" : "";
        Begin(NFT_MSG_NEWCHAIN, NLM_F_CREATE, family, $"add chain {chain.Name}{type} to table {Name(family)}");
        _writer.Attribute(NFTA_CHAIN_TABLE, _table);
        _writer.Attribute(NFTA_CHAIN_NAME, chain.Name);
        if (chain.HasHook)
        {
            _writer.Attribute(NFTA_CHAIN_TYPE, chain.Type);
            _writer.AttributeBigEndian(NFTA_CHAIN_POLICY, chain.Policy);
            int hook = _writer.BeginNested(NFTA_CHAIN_HOOK);
            _writer.AttributeBigEndian(NFTA_HOOK_HOOKNUM, chain.Hook);
            _writer.AttributeBigEndian(NFTA_HOOK_PRIORITY, (uint)chain.Priority);
            _writer.EndNested(hook);
        }
        _writer.End();
    }

    // The id is arbitrary, but unique among the table's sets in this transaction.
    private void AddSet(NftFamily family, NftSet set, uint id)
    {
        Begin(NFT_MSG_NEWSET, NLM_F_CREATE, family, $"add set {set.Name} to table {Name(family)}");
        _writer.Attribute(NFTA_SET_TABLE, _table);
        _writer.Attribute(NFTA_SET_NAME, set.Name);
        _writer.AttributeBigEndian(NFTA_SET_FLAGS, set.Flags);
        _writer.AttributeBigEndian(NFTA_SET_KEY_TYPE, set.KeyType);
        _writer.AttributeBigEndian(NFTA_SET_KEY_LEN, set.KeyLength);
        _writer.AttributeBigEndian(NFTA_SET_ID, id);
        _writer.End();
    }

    private void AddRules(NftFamily family, NftChain chain)
    {
        foreach (NftRule rule in chain.Rules)
            AddRule(family, chain.Name, rule);
    }

    private void AddRule(NftFamily family, string chain, NftRule rule)
    {
        Begin(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, family, $"add a rule to chain {chain} of table {Name(family)}");
        _writer.Attribute(NFTA_RULE_TABLE, _table);
        _writer.Attribute(NFTA_RULE_CHAIN, chain);
        _writer.Attribute(NFTA_RULE_EXPRESSIONS | NetlinkWriter.Nested, rule.Expressions.AsSpan());
        byte[] comment = [.. Encoding.ASCII.GetBytes(rule.Comment), 0];
        _writer.Attribute(NFTA_RULE_USERDATA, [NFTNL_UDATA_RULE_COMMENT, (byte)comment.Length, .. comment]);
        _writer.End();
    }

    private string Name(NftFamily family) => $"{NftNames.Of(family)} {_table}";

    private void TableMessage(byte message, ushort flags, NftFamily family, string verb)
    {
        Begin(message, flags, family, $"{verb} table {Name(family)}");
        _writer.Attribute(NFTA_TABLE_NAME, _table);
        _writer.End();
    }

    private void Begin(byte message, int flags, NftFamily family, string what)
    {
        _what.Add(what);
        _writer.Begin((ushort)((NFNL_SUBSYS_NFTABLES << 8) | message), (ushort)(NLM_F_REQUEST | NLM_F_ACK | flags), _nextSequence());
        _writer.Write(new NfGenMsg((byte)family));
    }

    // Before Linux 6.10 these two are never acknowledged: with NLM_F_ACK the socket would wait for ever.
    private void BatchMessage(ushort type, string what)
    {
        _what.Add(what);
        _writer.Begin(type, NLM_F_REQUEST, _nextSequence());
        _writer.Write(new NfGenMsg(0, NFNL_SUBSYS_NFTABLES));
        _writer.End();
    }
}
