using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Runtime.Versioning;
using HostGw.Platform.Linux.Netlink;
using static HostGw.Platform.Linux.Netlink.NetlinkFlags;
using static HostGw.Platform.Linux.Nftables.NfTables;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>Reads HostGw's tables of one name from the kernel.</summary>
[SupportedOSPlatform("linux")]
internal sealed class NftReader(NetlinkSocket socket, string name, NftAdvice advice)
{
    private const int Attempts = 5;

    private readonly NftDump _dump = new(socket, advice);

    /// <summary>False in a kernel without nf_tables.</summary>
    public bool IsPresent()
    {
        try
        {
            Generation();
            return true;
        }
        catch (NetlinkException e) when (e.Errno is Errno.EINVAL or Errno.EOPNOTSUPP)
        {
            return false; // nfnetlink answers EINVAL without nf_tables; a change fails later, with advice
        }
    }

    /// <summary>At most one per family; none in a kernel without nf_tables.</summary>
    /// <exception cref="NetlinkException">The kernel refused, or the table was deleted during every attempt.</exception>
    public ImmutableArray<NftTable> Read()
    {
        ImmutableArray<NftTable> state = [];
        if (!IsPresent())
            return state;

        for (int attempt = 1; attempt <= Attempts; attempt++)
        {
            uint generation = Generation();
            try
            {
                state = ReadOnce();
            }
            catch (NetlinkException e) when (e.IsNotFound && attempt < Attempts)
            {
                continue; // deleted between two dumps
            }
            // Otherwise somebody changed rules meanwhile. The last attempt is used: a change of our table causes another pass.
            if (generation == Generation())
                break;
        }
        return state;
    }

    /// <summary>Reads parts of a table again: the chains, unless none is given, and the elements of the given sets.</summary>
    /// <exception cref="NetlinkException">The kernel refused. With IsNotFound: there is no such table, or no such set.</exception>
    public NftTable ReadPart(NftTable part) => part with
    {
        Chains = part.Chains.IsEmpty ? [] : Chains(part.Family),
        Sets = [.. part.Sets.Select(s => s with { Elements = Elements(part.Family, s) })],
    };

    /// <summary>How many packets the rules of each chain of a table counted, where one counts.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public Dictionary<string, long> ReadCounters(NftFamily family)
    {
        Dictionary<string, long> counts = [];
        try
        {
            foreach (IGrouping<string, NftRule> chain in Rules(family))
            {
                long?[] packets = [.. chain.Select(r => NftCounter.PacketsOf(r.Expressions.AsSpan())).Where(p => p is not null)];
                if (packets.Length > 0)
                    counts[chain.Key] = packets.Sum() ?? 0;
            }
        }
        catch (NetlinkException e) when (e.IsNotFound)
        {
            // There is no such table.
        }
        return counts;
    }

    private ImmutableArray<NftTable> ReadOnce()
    {
        var tables = ImmutableArray.CreateBuilder<NftTable>();
        foreach (ListedTable table in Tables())
        {
            ImmutableArray<NftChain> chains = Chains(table.Family);
            ImmutableArray<NftSet> sets = [.. Sets(table.Family).Select(s => s with { Elements = Elements(table.Family, s) })];
            tables.Add(new(table.Family, table.Flags, table.Uses - chains.Length - sets.Length, chains, sets));
        }
        return tables.ToImmutable();
    }

    private uint Generation()
    {
        uint generation = 0;
        _dump.Begin(NFT_MSG_GETGEN, NLM_F_ACK, 0);
        _dump.Run("read the nf_tables generation", static () => { }, (_, payload) =>
            generation = NetlinkAttributes.ReadBigEndian(NetlinkAttributes.Find(NfGenMsg.AttributesOf(payload), NFTA_GEN_ID)));
        return generation;
    }

    private List<ListedTable> Tables()
    {
        List<ListedTable> tables = [];
        _dump.Begin(NFT_MSG_GETTABLE, NLM_F_DUMP, 0);
        _dump.Run("list nf_tables tables", tables.Clear, (_, payload) =>
        {
            ListedTable table = NftParser.Table(payload);
            if (table.Name == name && table.Family is NftFamily.Inet or NftFamily.IPv4 or NftFamily.IPv6)
                tables.Add(table);
        });
        return tables;
    }

    private ImmutableArray<NftChain> Chains(NftFamily family)
    {
        List<NftChain> chains = [];
        _dump.Begin(NFT_MSG_GETCHAIN, NLM_F_DUMP, family);
        _dump.Run("list nf_tables chains", chains.Clear, (_, payload) =>
        {
            // The kernel filters chains by family only.
            NftChain chain = NftParser.Chain(payload, out string table);
            if (table == name)
                chains.Add(chain);
        });

        ILookup<string, NftRule> rules = Rules(family);
        return [.. chains.Select(c => c with { Rules = [.. rules[c.Name]] })];
    }

    private ILookup<string, NftRule> Rules(NftFamily family)
    {
        List<(string Chain, NftRule Rule)> rules = [];
        _dump.Begin(NFT_MSG_GETRULE, NLM_F_DUMP, family);
        _dump.Filter(NFTA_RULE_TABLE, name);
        _dump.Run("list nf_tables rules", rules.Clear, (_, payload) =>
        {
            NftRule rule = NftParser.Rule(payload, out string chain);
            rules.Add((chain, rule));
        });
        return rules.ToLookup(r => r.Chain, r => r.Rule);
    }

    private List<NftSet> Sets(NftFamily family)
    {
        List<NftSet> sets = [];
        _dump.Begin(NFT_MSG_GETSET, NLM_F_DUMP, family);
        _dump.Filter(NFTA_SET_TABLE, name);
        _dump.Run("list nf_tables sets", sets.Clear, (_, payload) => sets.Add(NftParser.Set(payload)));
        return sets;
    }

    private ImmutableArray<AddressRange> Elements(NftFamily family, NftSet set)
    {
        // A set of another type is a difference even if its elements are equal.
        if (set.Flags != NFT_SET_INTERVAL || set.KeyLength is not (4 or 16))
            return [];

        List<IntervalKey> keys = [];
        _dump.Begin(NFT_MSG_GETSETELEM, NLM_F_DUMP, family);
        _dump.Filter(NFTA_SET_ELEM_LIST_TABLE, name);
        _dump.Filter(NFTA_SET_ELEM_LIST_SET, set.Name);
        _dump.Run("list nf_tables set elements", keys.Clear, (_, payload) => NftElements.Read(payload, keys));
        return IntervalKeys.Pair(keys);
    }
}

/// <summary>Sends one nf_tables request after the other: <see cref="Begin"/>, <see cref="Filter"/>, <see cref="Run"/>.</summary>
[SupportedOSPlatform("linux")]
internal sealed class NftDump(NetlinkSocket socket, NftAdvice advice)
{
    private readonly NetlinkWriter _request = new();

    public void Begin(byte message, int flags, NftFamily family)
    {
        _request.Clear();
        _request.Begin((ushort)((NFNL_SUBSYS_NFTABLES << 8) | message), (ushort)(NLM_F_REQUEST | flags), socket.NextSequence());
        _request.Write(new NfGenMsg((byte)family));
    }

    public void Filter(ushort attribute, string value) => _request.Attribute(attribute, value);

    /// <param name="restart">Called before each attempt: a dump that the kernel interrupted is repeated from the start.</param>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public void Run(string what, Action restart, NetlinkMessageHandler onMessage)
    {
        _request.End();
        try
        {
            socket.Dump(what, _request, restart, onMessage);
        }
        catch (NetlinkException e) when (!e.IsNotFound)
        {
            throw NftExplanation.Of(what, e, advice);
        }
    }
}

/// <summary>Decodes what a rule has counted. Pure.</summary>
internal static class NftCounter
{
    /// <summary>The packets of its first counter; null: it has none.</summary>
    /// <param name="expressions">The value of NFTA_RULE_EXPRESSIONS.</param>
    public static long? PacketsOf(ReadOnlySpan<byte> expressions)
    {
        var list = new NetlinkAttributes(expressions);
        while (list.Next())
        {
            if (NetlinkAttributes.ReadString(NetlinkAttributes.Find(list.Value, NFTA_EXPR_NAME)) != "counter")
                continue;
            ReadOnlySpan<byte> packets = NetlinkAttributes.Find(NetlinkAttributes.Find(list.Value, NFTA_EXPR_DATA), NFTA_COUNTER_PACKETS);
            return BinaryPrimitives.TryReadInt64BigEndian(packets, out long count) ? count : 0;
        }
        return null;
    }
}

/// <param name="Uses">The number of chains, sets and other objects in the table.</param>
internal readonly record struct ListedTable(NftFamily Family, string Name, uint Flags, int Uses);

/// <summary>Decodes the messages of nf_tables dumps. A missing attribute is zero or empty, as it is for the kernel.</summary>
internal static class NftParser
{
    public static ListedTable Table(ReadOnlySpan<byte> payload)
    {
        ReadOnlySpan<byte> attributes = NfGenMsg.AttributesOf(payload);
        return new(
            (NftFamily)NfGenMsg.FamilyOf(payload),
            NetlinkAttributes.ReadString(NetlinkAttributes.Find(attributes, NFTA_TABLE_NAME)),
            NetlinkAttributes.ReadBigEndian(NetlinkAttributes.Find(attributes, NFTA_TABLE_FLAGS)),
            (int)NetlinkAttributes.ReadBigEndian(NetlinkAttributes.Find(attributes, NFTA_TABLE_USE)));
    }

    /// <summary>A chain, without its rules.</summary>
    public static NftChain Chain(ReadOnlySpan<byte> payload, out string table)
    {
        string name = "", type = "";
        uint hook = 0, priority = 0, policy = 0;
        table = "";
        var attributes = new NetlinkAttributes(NfGenMsg.AttributesOf(payload));
        while (attributes.Next())
        {
            switch (attributes.Type)
            {
                case NFTA_CHAIN_TABLE: table = attributes.ReadString(); break;
                case NFTA_CHAIN_NAME: name = attributes.ReadString(); break;
                case NFTA_CHAIN_TYPE: type = attributes.ReadString(); break;
                case NFTA_CHAIN_POLICY: policy = attributes.ReadBigEndian(); break;
                case NFTA_CHAIN_HOOK:
                    hook = NetlinkAttributes.ReadBigEndian(NetlinkAttributes.Find(attributes.Value, NFTA_HOOK_HOOKNUM));
                    priority = NetlinkAttributes.ReadBigEndian(NetlinkAttributes.Find(attributes.Value, NFTA_HOOK_PRIORITY));
                    break;
            }
        }
        return new(name, type, hook, (int)priority, policy, []);
    }

    public static NftRule Rule(ReadOnlySpan<byte> payload, out string chain)
    {
        ReadOnlySpan<byte> expressions = default, userData = default;
        chain = "";
        var attributes = new NetlinkAttributes(NfGenMsg.AttributesOf(payload));
        while (attributes.Next())
        {
            switch (attributes.Type)
            {
                case NFTA_RULE_CHAIN: chain = attributes.ReadString(); break;
                case NFTA_RULE_EXPRESSIONS: expressions = attributes.Value; break;
                case NFTA_RULE_USERDATA: userData = attributes.Value; break;
            }
        }
        return new(Comment(userData), [.. expressions]);
    }

    /// <summary>A set, without its elements.</summary>
    public static NftSet Set(ReadOnlySpan<byte> payload)
    {
        string name = "";
        uint flags = 0, keyType = 0, keyLength = 0;
        var attributes = new NetlinkAttributes(NfGenMsg.AttributesOf(payload));
        while (attributes.Next())
        {
            switch (attributes.Type)
            {
                case NFTA_SET_NAME: name = attributes.ReadString(); break;
                case NFTA_SET_FLAGS: flags = attributes.ReadBigEndian(); break;
                case NFTA_SET_KEY_TYPE: keyType = attributes.ReadBigEndian(); break;
                case NFTA_SET_KEY_LEN: keyLength = attributes.ReadBigEndian(); break;
            }
        }
        return new(name, keyType, keyLength, flags, []);
    }

    // libnftnl's udata: type, length and value, repeated. The kernel only stores it.
    private static string Comment(ReadOnlySpan<byte> userData)
    {
        while (userData.Length >= 2 && userData[1] <= userData.Length - 2)
        {
            if (userData[0] == NFTNL_UDATA_RULE_COMMENT)
                return NetlinkAttributes.ReadString(userData.Slice(2, userData[1]));
            userData = userData[(2 + userData[1])..];
        }
        return "";
    }
}
