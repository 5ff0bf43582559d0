using System.Text;
using HostGw.Platform.Linux.Netlink;
using static HostGw.Platform.Linux.Nftables.NfTables;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>Reads the answers of nf_tables dumps. What is missing in an answer is zero or empty, as it is for the kernel.</summary>
internal static class NftParser
{
    /// <param name="uses">How many chains, sets and other objects the table holds.</param>
    public static string Table(ReadOnlySpan<byte> payload, out NftFamily family, out uint flags, out int uses)
    {
        family = (NftFamily)(payload.IsEmpty ? 0 : payload[0]);
        ReadOnlySpan<byte> attributes = payload[Math.Min(NfGenMsg.Size, payload.Length)..];
        flags = NftAttributes.ReadBigEndian(NftAttributes.Find(attributes, NFTA_TABLE_FLAGS));
        uses = (int)NftAttributes.ReadBigEndian(NftAttributes.Find(attributes, NFTA_TABLE_USE));
        return Text(NftAttributes.Find(attributes, NFTA_TABLE_NAME));
    }

    /// <summary>A chain, without its rules.</summary>
    public static NftChain Chain(ReadOnlySpan<byte> payload, out string table)
    {
        string name = "", type = "";
        uint hook = 0, priority = 0, policy = 0;
        table = "";
        var attributes = NftAttributes.Of(payload);
        while (attributes.Next())
        {
            switch (attributes.Type)
            {
                case NFTA_CHAIN_TABLE: table = attributes.ReadString(); break;
                case NFTA_CHAIN_NAME: name = attributes.ReadString(); break;
                case NFTA_CHAIN_TYPE: type = attributes.ReadString(); break;
                case NFTA_CHAIN_POLICY: policy = attributes.ReadBigEndian(); break;
                case NFTA_CHAIN_HOOK:
                    hook = NftAttributes.ReadBigEndian(NftAttributes.Find(attributes.Value, NFTA_HOOK_HOOKNUM));
                    priority = NftAttributes.ReadBigEndian(NftAttributes.Find(attributes.Value, NFTA_HOOK_PRIORITY));
                    break;
            }
        }
        return new(name, type, hook, (int)priority, policy, []);
    }

    public static NftRule Rule(ReadOnlySpan<byte> payload, out string chain)
    {
        ReadOnlySpan<byte> expressions = default, userData = default;
        chain = "";
        var attributes = NftAttributes.Of(payload);
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
        var attributes = NftAttributes.Of(payload);
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

    // Type, length, value, again and again: libnftnl's udata, no business of the kernel's.
    private static string Comment(ReadOnlySpan<byte> userData)
    {
        while (userData.Length >= 2 && userData[1] <= userData.Length - 2)
        {
            if (userData[0] == NFTNL_UDATA_RULE_COMMENT)
                return Text(userData.Slice(2, userData[1]));
            userData = userData[(2 + userData[1])..];
        }
        return "";
    }

    private static string Text(ReadOnlySpan<byte> value) => Encoding.UTF8.GetString(value.TrimEnd((byte)0));
}
