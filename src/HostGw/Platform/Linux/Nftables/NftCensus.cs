using System.Runtime.Versioning;
using HostGw.Platform.Linux.Netlink;
using static HostGw.Platform.Linux.Nftables.NfTables;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>Looks at what others have in nf_tables, iptables-nft among them. A kernel without nf_tables has nothing.</summary>
[SupportedOSPlatform("linux")]
internal sealed class NftCensus(NetlinkSocket socket)
{
    private readonly NftDump _dump = new(socket);

    /// <summary>The family in which iptables-nft keeps its tables.</summary>
    public static NftFamily Of(bool ipv4) => ipv4 ? NftFamily.IPv4 : NftFamily.IPv6;

    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public bool HasChain(NftFamily family, string table, string chain)
    {
        bool found = false;
        _dump.Begin(NFT_MSG_GETCHAIN, NLM_F_ACK, family);
        _dump.Only(NFTA_CHAIN_TABLE, table);
        _dump.Only(NFTA_CHAIN_NAME, chain);
        Ask("look for a chain", () => found = false, (_, _) => found = true);
        return found;
    }

    /// <summary>The filter chains of all tables that see forwarded packets.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public List<NftHookChain> ForwardChains()
    {
        List<NftHookChain> chains = [];
        _dump.Begin(NFT_MSG_GETCHAIN, NLM_F_DUMP, 0);
        Ask("list nf_tables chains", chains.Clear, (_, payload) =>
        {
            NftChain chain = NftParser.Chain(payload, out string table);
            var family = (NftFamily)(payload.IsEmpty ? 0 : payload[0]);
            if (chain is { Type: "filter", Hook: NF_INET_FORWARD } && Enum.IsDefined(family))
                chains.Add(new(family, table, chain.Name, chain.Policy));
        });
        return chains;
    }

    /// <summary>Whether the chain's policy or one of its rules drops or refuses whatever comes to it.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public bool DropsEverything(NftHookChain chain)
    {
        bool drops = chain.Policy == NF_DROP;
        if (drops)
            return true;
        _dump.Begin(NFT_MSG_GETRULE, NLM_F_DUMP, chain.Family);
        _dump.Only(NFTA_RULE_TABLE, chain.Table);
        _dump.Only(NFTA_RULE_CHAIN, chain.Name);
        Ask("list nf_tables rules", () => drops = false, (_, payload) =>
            drops |= NftParser.Rule(payload, out string name) is { } rule && name == chain.Name && NftDrop.IsUnconditional(rule.Expressions.AsSpan()));
        return drops;
    }

    /// <summary>The names of all tables.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public List<(NftFamily Family, string Name)> Tables()
    {
        List<(NftFamily, string)> tables = [];
        _dump.Begin(NFT_MSG_GETTABLE, NLM_F_DUMP, 0);
        Ask("list nf_tables tables", tables.Clear, (_, payload) => tables.Add((Family(payload, out string name), name)));
        return tables;

        static NftFamily Family(ReadOnlySpan<byte> payload, out string name)
        {
            name = NftParser.Table(payload, out NftFamily family, out _, out _);
            return family;
        }
    }

    /// <summary>Deletes a table of others with all that is in it.</summary>
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

    private void Ask(string what, Action restart, NetlinkMessageHandler onMessage)
    {
        try
        {
            _dump.Run(what, restart, onMessage);
        }
        catch (NetlinkException e) when (e.IsNotFound || e.Errno is Errno.EINVAL or Errno.EOPNOTSUPP or Errno.EAFNOSUPPORT)
        {
            // What is asked for is not there, or the kernel has no nf_tables.
        }
    }
}
