using System.Runtime.Versioning;
using HostGw.Platform.Linux.Netlink;
using static HostGw.Platform.Linux.Nftables.NfTables;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>A base chain that forwarded packets traverse.</summary>
internal readonly record struct NftHookChain(NftFamily Family, string Table, string Name, uint Policy);

/// <summary>Reads the nf_tables tables of other programs, including those of iptables-nft. A kernel without nf_tables has none.</summary>
[SupportedOSPlatform("linux")]
internal sealed class ForeignTables(NetlinkSocket socket)
{
    private readonly NftDump _dump = new(socket);

    /// <summary>The family in which iptables-nft has its tables.</summary>
    public static NftFamily FamilyOf(bool ipv4) => ipv4 ? NftFamily.IPv4 : NftFamily.IPv6;

    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public bool HasChain(NftFamily family, string table, string chain)
    {
        bool found = false;
        _dump.Begin(NFT_MSG_GETCHAIN, NLM_F_ACK, family);
        _dump.Filter(NFTA_CHAIN_TABLE, table);
        _dump.Filter(NFTA_CHAIN_NAME, chain);
        Run("read an nf_tables chain", () => found = false, (_, _) => found = true);
        return found;
    }

    /// <summary>The filter chains of all tables at hook forward.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public List<NftHookChain> ForwardChains()
    {
        List<NftHookChain> chains = [];
        _dump.Begin(NFT_MSG_GETCHAIN, NLM_F_DUMP, 0);
        Run("list nf_tables chains", chains.Clear, (_, payload) =>
        {
            NftChain chain = NftParser.Chain(payload, out string table);
            var family = (NftFamily)NfGenMsg.FamilyOf(payload);
            if (chain is { Type: "filter", Hook: NF_INET_FORWARD } && Enum.IsDefined(family))
                chains.Add(new(family, table, chain.Name, chain.Policy));
        });
        return chains;
    }

    /// <summary>Whether the chain's policy or one of its rules drops or rejects every packet that reaches it.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public bool DropsEverything(NftHookChain chain)
    {
        bool drops = chain.Policy == NF_DROP;
        if (drops)
            return true;
        _dump.Begin(NFT_MSG_GETRULE, NLM_F_DUMP, chain.Family);
        _dump.Filter(NFTA_RULE_TABLE, chain.Table);
        _dump.Filter(NFTA_RULE_CHAIN, chain.Name);
        Run("list nf_tables rules", () => drops = false, (_, payload) =>
        {
            NftRule rule = NftParser.Rule(payload, out string name);
            drops |= name == chain.Name && NftDrop.IsUnconditional(rule.Expressions.AsSpan());
        });
        return drops;
    }

    /// <summary>All tables.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public List<ListedTable> Tables()
    {
        List<ListedTable> tables = [];
        _dump.Begin(NFT_MSG_GETTABLE, NLM_F_DUMP, 0);
        Run("list nf_tables tables", tables.Clear, (_, payload) => tables.Add(NftParser.Table(payload)));
        return tables;
    }

    /// <summary>Deletes a table with everything in it. Success if it does not exist.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public void DeleteTable(NftFamily family, string table)
    {
        var batch = new NftBatch(socket.NextSequence);
        batch.Delete(family, table);
        NetlinkException? refusal = null;
        socket.ExecuteWhole($"delete table {NftNames.Of(family)} {table}", batch.Finish(), (_, e) => refusal ??= e);
        if (refusal is { IsNotFound: false })
            throw refusal;
    }

    private void Run(string what, Action restart, NetlinkMessageHandler onMessage)
    {
        try
        {
            _dump.Run(what, restart, onMessage);
        }
        catch (NetlinkException e) when (e.IsNotFound || e.Errno is Errno.EINVAL or Errno.EOPNOTSUPP or Errno.EAFNOSUPPORT)
        {
            // The table or chain does not exist, or the kernel has no nf_tables.
        }
    }
}

/// <summary>Recognizes a rule, written by nft or by iptables-nft, that drops or rejects every packet. Pure.</summary>
internal static class NftDrop
{
    /// <param name="expressions">The value of NFTA_RULE_EXPRESSIONS.</param>
    public static bool IsUnconditional(ReadOnlySpan<byte> expressions)
    {
        bool drops = false;
        var all = new NetlinkAttributes(expressions);
        while (all.Next())
        {
            string name = NetlinkAttributes.ReadString(NetlinkAttributes.Find(all.Value, NFTA_EXPR_NAME));
            ReadOnlySpan<byte> data = NetlinkAttributes.Find(all.Value, NFTA_EXPR_DATA);
            if (Drops(name, data))
                drops = true;
            else if (!MatchesEverything(name, data))
                return false;
        }
        return drops;
    }

    private static bool Drops(string name, ReadOnlySpan<byte> data) => name switch
    {
        "immediate" => IsDropVerdict(NetlinkAttributes.Find(NetlinkAttributes.Find(data, NFTA_IMMEDIATE_DATA), NFTA_DATA_VERDICT)),
        "reject" => true,
        "target" => NetlinkAttributes.ReadString(NetlinkAttributes.Find(data, NFTA_TARGET_NAME)) == "REJECT",
        _ => false,
    };

    private static bool IsDropVerdict(ReadOnlySpan<byte> verdict) =>
        !verdict.IsEmpty && NetlinkAttributes.ReadBigEndian(NetlinkAttributes.Find(verdict, NFTA_VERDICT_CODE)) == NF_DROP;

    private static bool MatchesEverything(string name, ReadOnlySpan<byte> data) => name switch
    {
        "counter" or "log" => true,
        "match" => NetlinkAttributes.ReadString(NetlinkAttributes.Find(data, NFTA_MATCH_NAME)) == "comment",
        _ => false,
    };
}
