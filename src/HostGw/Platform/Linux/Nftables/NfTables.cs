using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>Numbers of the kernel's nf_tables headers, under their native names.</summary>
/// <remarks>linux/netfilter/nf_tables.h, nfnetlink.h; numbers of the data types: nftables include/datatype.h</remarks>
internal static class NfTables
{
    public const int NETLINK_NETFILTER = 12;
    public const int NFNLGRP_NFTABLES = 7;
    public const int NFNL_SUBSYS_NFTABLES = 10;
    public const ushort NFNL_MSG_BATCH_BEGIN = 16;
    public const ushort NFNL_MSG_BATCH_END = 17;

    public const byte NFT_MSG_NEWTABLE = 0;
    public const byte NFT_MSG_GETTABLE = 1;
    public const byte NFT_MSG_DELTABLE = 2;
    public const byte NFT_MSG_NEWCHAIN = 3;
    public const byte NFT_MSG_GETCHAIN = 4;
    public const byte NFT_MSG_DELCHAIN = 5;
    public const byte NFT_MSG_NEWRULE = 6;
    public const byte NFT_MSG_GETRULE = 7;
    public const byte NFT_MSG_DELRULE = 8;
    public const byte NFT_MSG_NEWSET = 9;
    public const byte NFT_MSG_GETSET = 10;
    public const byte NFT_MSG_NEWSETELEM = 12;
    public const byte NFT_MSG_GETSETELEM = 13;
    public const byte NFT_MSG_DELSETELEM = 14;
    public const byte NFT_MSG_NEWGEN = 15;
    public const byte NFT_MSG_GETGEN = 16;

    public const ushort NFTA_TABLE_NAME = 1;
    public const ushort NFTA_TABLE_FLAGS = 2;
    public const ushort NFTA_TABLE_USE = 3;

    public const ushort NFTA_CHAIN_TABLE = 1;
    public const ushort NFTA_CHAIN_NAME = 3;
    public const ushort NFTA_CHAIN_HOOK = 4;
    public const ushort NFTA_CHAIN_POLICY = 5;
    public const ushort NFTA_CHAIN_TYPE = 7;
    public const ushort NFTA_HOOK_HOOKNUM = 1;
    public const ushort NFTA_HOOK_PRIORITY = 2;
    public const uint NF_INET_PRE_ROUTING = 0;
    public const uint NF_INET_LOCAL_IN = 1;
    public const uint NF_INET_FORWARD = 2;
    public const uint NF_INET_LOCAL_OUT = 3;
    public const uint NF_INET_POST_ROUTING = 4;
    public const uint NF_DROP = 0;
    public const uint NF_ACCEPT = 1;
    public const int NF_IP_PRI_RAW = -300;
    public const int NF_IP_PRI_NAT_SRC = 100;

    public const ushort NFTA_RULE_TABLE = 1;
    public const ushort NFTA_RULE_CHAIN = 2;
    public const ushort NFTA_RULE_HANDLE = 3;
    public const ushort NFTA_RULE_EXPRESSIONS = 4;
    public const ushort NFTA_RULE_USERDATA = 7;
    public const byte NFTNL_UDATA_RULE_COMMENT = 0;

    public const ushort NFTA_SET_TABLE = 1;
    public const ushort NFTA_SET_NAME = 2;
    public const ushort NFTA_SET_FLAGS = 3;
    public const ushort NFTA_SET_KEY_TYPE = 4;
    public const ushort NFTA_SET_KEY_LEN = 5;
    public const ushort NFTA_SET_ID = 10;
    public const uint NFT_SET_INTERVAL = 4;
    public const uint TYPE_IPADDR = 7;
    public const uint TYPE_IP6ADDR = 8;

    public const ushort NFTA_SET_ELEM_LIST_TABLE = 1;
    public const ushort NFTA_SET_ELEM_LIST_SET = 2;
    public const ushort NFTA_SET_ELEM_LIST_ELEMENTS = 3;
    public const ushort NFTA_SET_ELEM_KEY = 1;
    public const ushort NFTA_SET_ELEM_FLAGS = 3;
    public const uint NFT_SET_ELEM_INTERVAL_END = 1;

    public const ushort NFTA_LIST_ELEM = 1;
    public const ushort NFTA_DATA_VALUE = 1;
    public const ushort NFTA_DATA_VERDICT = 2;
    public const ushort NFTA_VERDICT_CODE = 1;
    public const ushort NFTA_VERDICT_CHAIN = 2;
    public const ushort NFTA_IMMEDIATE_DATA = 2;
    public const ushort NFTA_GEN_ID = 1;
    public const ushort NFTA_GEN_PROC_NAME = 3;
    public const ushort NFTA_COUNTER_PACKETS = 2;
    public const ushort NFTA_EXPR_NAME = 1;
    public const ushort NFTA_EXPR_DATA = 2;
}

/// <summary>nfgenmsg, the family header of every nfnetlink message.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct NfGenMsg(byte family, ushort resource = 0)
{
    private const int Size = 4;

    public readonly byte Family = family;
    public readonly byte Version;

    // In network byte order: the only such field outside an attribute.
    private readonly ushort _resource = BinaryPrimitives.ReverseEndianness(resource);

    /// <summary>The family of a received message; 0 if the message is empty.</summary>
    public static byte FamilyOf(ReadOnlySpan<byte> payload) => payload.IsEmpty ? (byte)0 : payload[0];

    /// <summary>The attributes after nfgenmsg; none if the message is truncated.</summary>
    public static ReadOnlySpan<byte> AttributesOf(ReadOnlySpan<byte> payload) => payload[Math.Min(Size, payload.Length)..];
}
