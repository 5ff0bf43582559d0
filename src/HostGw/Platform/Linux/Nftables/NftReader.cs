using System.Collections.Immutable;
using System.Runtime.Versioning;
using HostGw.Platform.Linux.Netlink;
using static HostGw.Platform.Linux.Nftables.NfTables;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>Reads what stands of our tables in the kernel.</summary>
[SupportedOSPlatform("linux")]
internal sealed class NftReader(NetlinkSocket socket)
{
    private const int Attempts = 5;

    private readonly NftDump _dump = new(socket);

    /// <summary>Null where no table of ours stands.</summary>
    /// <exception cref="NetlinkException">The kernel refused, or the table vanished under every attempt.</exception>
    public NatState? Read()
    {
        if (!IsPresent())
            return null;

        NatState? state = null;
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
            // Somebody wrote in between. After the last attempt what was read stands: if it was our table, its notification causes another pass.
            if (generation == Generation())
                break;
        }
        return state;
    }

    private NatState? ReadOnce()
    {
        var tables = ImmutableArray.CreateBuilder<NftTable>();
        foreach ((NftFamily family, uint flags, int uses) in Tables())
        {
            ImmutableArray<NftChain> chains = Chains(family);
            ImmutableArray<NftSet> sets = [.. Sets(family).Select(s => s with { Elements = Elements(family, s) })];
            tables.Add(new(family, flags, uses - chains.Length - sets.Length, chains, sets));
        }
        return tables.Count == 0 ? null : new(tables.ToImmutable());
    }

    // nfnetlink answers EINVAL where a kernel without nf_tables is asked. A rule that is wanted fails later, with advice.
    public bool IsPresent()
    {
        try
        {
            Generation();
            return true;
        }
        catch (NetlinkException e) when (e.Errno is Errno.EINVAL or Errno.EOPNOTSUPP)
        {
            return false;
        }
    }

    private uint Generation()
    {
        uint generation = 0;
        _dump.Begin(NFT_MSG_GETGEN, NLM_F_ACK, 0);
        _dump.Run("read the nf_tables generation", static () => { }, (_, payload) =>
            generation = NftAttributes.ReadBigEndian(NftAttributes.Find(payload[Math.Min(NfGenMsg.Size, payload.Length)..], NFTA_GEN_ID)));
        return generation;
    }

    private List<(NftFamily Family, uint Flags, int Uses)> Tables()
    {
        List<(NftFamily, uint, int)> tables = [];
        _dump.Begin(NFT_MSG_GETTABLE, NLM_F_DUMP, 0);
        _dump.Run("list nf_tables tables", tables.Clear, (_, payload) =>
        {
            string name = NftParser.Table(payload, out NftFamily family, out uint flags, out int uses);
            if (name == MasqueradeRuleset.TableName && Enum.IsDefined(family))
                tables.Add((family, flags, uses));
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
            if (table == MasqueradeRuleset.TableName)
                chains.Add(chain);
        });

        ILookup<string, NftRule> rules = Rules(family);
        return [.. chains.Select(c => c with { Rules = [.. rules[c.Name]] })];
    }

    private ILookup<string, NftRule> Rules(NftFamily family)
    {
        List<(string Chain, NftRule Rule)> rules = [];
        _dump.Begin(NFT_MSG_GETRULE, NLM_F_DUMP, family);
        _dump.Only(NFTA_RULE_TABLE, MasqueradeRuleset.TableName);
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
        _dump.Only(NFTA_SET_TABLE, MasqueradeRuleset.TableName);
        _dump.Run("list nf_tables sets", sets.Clear, (_, payload) => sets.Add(NftParser.Set(payload)));
        return sets;
    }

    private ImmutableArray<AddressRange> Elements(NftFamily family, NftSet set)
    {
        // A set of another kind is a difference by itself, whatever it holds.
        if (set.Flags != NFT_SET_INTERVAL || set.KeyLength is not (4 or 16))
            return [];

        List<IntervalKey> keys = [];
        _dump.Begin(NFT_MSG_GETSETELEM, NLM_F_DUMP, family);
        _dump.Only(NFTA_SET_ELEM_LIST_TABLE, MasqueradeRuleset.TableName);
        _dump.Only(NFTA_SET_ELEM_LIST_SET, set.Name);
        _dump.Run("list nf_tables set elements", keys.Clear, (_, payload) => NftElements.Read(payload, keys));
        return IntervalKeys.Pair(keys);
    }
}
