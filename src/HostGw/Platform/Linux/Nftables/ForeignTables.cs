using System.Collections.Immutable;
using System.Runtime.Versioning;
using HostGw.Platform.Linux.Census;
using HostGw.Platform.Linux.Netlink;
using static HostGw.Platform.Linux.Netlink.NetlinkFlags;
using static HostGw.Platform.Linux.Nftables.NfTables;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>A base chain of any table, as the kernel lists it.</summary>
/// <param name="Devices">Empty: all.</param>
internal sealed record NftHookChain(NftFamily Family, string Table, NftChain Chain, ImmutableArray<string> Devices);

/// <summary>Reads the nf_tables tables of other programs, including those of iptables-nft. A kernel without nf_tables has none.</summary>
[SupportedOSPlatform("linux")]
internal sealed class ForeignTables(NetlinkSocket socket)
{
    private const int MostJumps = 64;
    private const uint DormantFlag = 1;
    private const ushort NFTA_HOOK_DEV = 3, NFTA_HOOK_DEVS = 4, NFTA_DEVICE_NAME = 1;

    private readonly NftDump _dump = new(socket, NftAdvice.Nat);

    /// <summary>The family in which iptables-nft has its tables.</summary>
    public static NftFamily FamilyOf(bool ipv4) => ipv4 ? NftFamily.IPv4 : NftFamily.IPv6;

    /// <summary>Changes with every transaction; 0 without nf_tables.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public uint Generation()
    {
        uint generation = 0;
        _dump.Begin(NFT_MSG_GETGEN, NLM_F_ACK, 0);
        Run("read the nf_tables generation", static () => { }, (_, payload) =>
            generation = NetlinkAttributes.ReadBigEndian(NetlinkAttributes.Find(NfGenMsg.AttributesOf(payload), NFTA_GEN_ID)));
        return generation;
    }

    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public bool HasChain(NftFamily family, string table, string chain) => Chain(family, table, chain) is not null;

    /// <summary>
    /// Whether the chain's policy or one of its rules drops or rejects every packet that reaches it, or a rule without a condition jumps to
    /// a chain that has such a rule.
    /// </summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public bool DropsEverything(NftFamily family, string table, string chain) => Chain(family, table, chain) is { } found &&
        (found is { Type.Length: > 0, Policy: NF_DROP } || HasDrop(family, table, chain, [chain]));

    /// <summary>The chains that the kernel calls at a hook, of tables that are not dormant.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public List<NftHookChain> HookChains()
    {
        List<NftHookChain> chains = [];
        _dump.Begin(NFT_MSG_GETCHAIN, NLM_F_DUMP, 0);
        Run("list nf_tables chains", chains.Clear, (_, payload) =>
        {
            // A cluster's Services may have thousands of chains without a hook.
            ReadOnlySpan<byte> hook = NetlinkAttributes.Find(NfGenMsg.AttributesOf(payload), NFTA_CHAIN_HOOK);
            if (!hook.IsEmpty && Enum.IsDefined((NftFamily)NfGenMsg.FamilyOf(payload)))
            {
                NftChain chain = NftParser.Chain(payload, out string table);
                chains.Add(new((NftFamily)NfGenMsg.FamilyOf(payload), table, chain, Devices(hook)));
            }
        });
        if (chains.Count == 0)
            return chains;
        HashSet<(NftFamily, string)> dormant = [];
        _dump.Begin(NFT_MSG_GETTABLE, NLM_F_DUMP, 0);
        Run("list nf_tables tables", dormant.Clear, (_, payload) =>
        {
            ListedTable table = NftParser.Table(payload);
            if ((table.Flags & DormantFlag) != 0)
                dormant.Add((table.Family, table.Name));
        });
        chains.RemoveAll(c => dormant.Contains((c.Family, c.Table)));
        return chains;
    }

    /// <summary>The rules of one chain; none if it does not exist.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public List<NftListedRule> Rules(NftFamily family, string table, string chain)
    {
        List<NftListedRule> rules = [];
        _dump.Begin(NFT_MSG_GETRULE, NLM_F_DUMP, family);
        _dump.Filter(NFTA_RULE_TABLE, table);
        _dump.Filter(NFTA_RULE_CHAIN, chain);
        Run("list nf_tables rules", rules.Clear, (_, payload) =>
        {
            if (NftListedRule.Parse(payload, chain) is { } rule)
                rules.Add(rule);
        });
        return rules;
    }

    /// <summary>A set or map with its elements; null if it does not exist.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public NftElementSet? Set(NftFamily family, string table, string name)
    {
        NftElementReader? reader = null;
        _dump.Begin(NFT_MSG_GETSET, NLM_F_ACK, family);
        _dump.Filter(NFTA_SET_TABLE, table);
        _dump.Filter(NFTA_SET_NAME, name);
        Run("read an nf_tables set", static () => { }, (_, payload) => reader = NftElementReader.Of(payload));
        if (reader is null)
            return null;
        _dump.Begin(NFT_MSG_GETSETELEM, NLM_F_DUMP, family);
        _dump.Filter(NFTA_SET_ELEM_LIST_TABLE, table);
        _dump.Filter(NFTA_SET_ELEM_LIST_SET, name);
        Run("list nf_tables set elements", reader.Clear, (_, payload) => reader.Read(payload));
        return reader.Finish();
    }

    /// <summary>Deletes a rule. Success if it does not exist.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public void DeleteRule(NftFamily family, string table, string chain, ulong handle)
    {
        var batch = new NftBatch(socket.NextSequence, table);
        batch.DeleteRule(family, chain, handle);
        Execute($"delete rule {handle} of table {NftNames.Of(family)} {table}", batch);
    }

    /// <summary>Deletes a table with everything in it. Success if it does not exist.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public void DeleteTable(NftFamily family, string table)
    {
        var batch = new NftBatch(socket.NextSequence, table);
        batch.Delete(family);
        Execute($"delete table {NftNames.Of(family)} {table}", batch);
    }

    private bool HasDrop(NftFamily family, string table, string chain, HashSet<string> seen)
    {
        List<NftListedRule> rules = Rules(family, table, chain);
        return rules.Any(r => NftExpressionParser.DropEverything(r.Expressions)) || rules.Any(
            r => NftExpressionParser.JumpOfAll(r.Expressions) is { } next && seen.Count < MostJumps && seen.Add(next) &&
                HasDrop(family, table, next, seen));
    }

    private NftChain? Chain(NftFamily family, string table, string chain)
    {
        NftChain? found = null;
        _dump.Begin(NFT_MSG_GETCHAIN, NLM_F_ACK, family);
        _dump.Filter(NFTA_CHAIN_TABLE, table);
        _dump.Filter(NFTA_CHAIN_NAME, chain);
        Run("read an nf_tables chain", () => found = null, (_, payload) => found = NftParser.Chain(payload, out string _));
        return found;
    }

    private static ImmutableArray<string> Devices(ReadOnlySpan<byte> hook)
    {
        var devices = ImmutableArray.CreateBuilder<string>();
        if (NetlinkAttributes.ReadString(NetlinkAttributes.Find(hook, NFTA_HOOK_DEV)) is { Length: > 0 } one)
            devices.Add(one);
        var list = new NetlinkAttributes(NetlinkAttributes.Find(hook, NFTA_HOOK_DEVS));
        while (list.Next())
        {
            if (list.Type == NFTA_DEVICE_NAME && !devices.Contains(list.ReadString()))
                devices.Add(list.ReadString());
        }
        return devices.ToImmutable();
    }

    private void Execute(string what, NftBatch batch)
    {
        NetlinkException? refusal = null;
        socket.ExecuteWhole(what, batch.Finish(), (_, e) => refusal ??= e);
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
