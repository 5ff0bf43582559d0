namespace HostGw.Tests.Platform.Linux.Nftables;

/// <summary>Messages as `nft --debug=mnl` shows them for the same commands, in hex: one attribute per line, "#" begins a comment.</summary>
internal static class NftBatchGolden
{
    public const string SmallPlan = """
        # nlmsghdr: length, type, flags, sequence, port id; nfgenmsg: family, version, resource
        14000000 1000 0100 01000000 00000000 0000000A   # BATCH_BEGIN, subsystem nf_tables
        1F000000 000A 0504 02000000 00000000 01000000   # NEWTABLE create, inet: so that the deletion finds one
          0B000100 686F737467770000                     # TABLE_NAME hostgw
        1F000000 020A 0500 03000000 00000000 01000000   # DELTABLE
          0B000100 686F737467770000                     # TABLE_NAME hostgw
        1F000000 000A 0506 04000000 00000000 01000000   # NEWTABLE create, and fail if there is one
          0B000100 686F737467770000                     # TABLE_NAME hostgw

        4C000000 090A 0504 05000000 00000000 01000000   # NEWSET
          0B000100 686F737467770000                     # SET_TABLE hostgw
          0C000200 6578656D70743400                     # SET_NAME exempt4
          08000300 00000004                             # SET_FLAGS interval
          08000400 00000007                             # SET_KEY_TYPE ipv4_addr
          08000500 00000004                             # SET_KEY_LEN 4
          08000A00 00000001                             # SET_ID
        68000000 0C0A 0504 06000000 00000000 01000000   # NEWSETELEM
          0B000100 686F737467770000                     # hostgw
          0C000200 6578656D70743400                     # exempt4
          3C000380                                      # ELEMENTS
            10000180 0C000180 08000100 0AF40000         # from 10.244.0.0
            18000180 08000300 00000001                  # INTERVAL_END
                     0C000180 08000100 0AF50000         # to 10.245.0.0, exclusive
            10000180 0C000180 08000100 FFFFFFFF         # from 255.255.255.255, no end
        4C000000 090A 0504 07000000 00000000 01000000   # NEWSET
          0B000100 686F737467770000                     # hostgw
          0A000200 706F647334000000                     # pods4
          08000300 00000004                             # interval
          08000400 00000007                             # ipv4_addr
          08000500 00000004                             # 4
          08000A00 00000002                             # another id
        58000000 0C0A 0504 08000000 00000000 01000000   # NEWSETELEM
          0B000100 686F737467770000                     # hostgw
          0A000200 706F647334000000                     # pods4
          2C000380
            10000180 0C000180 08000100 0AF40100         # from 10.244.1.0
            18000180 08000300 00000001                  # INTERVAL_END
                     0C000180 08000100 0AF40200         # to 10.244.2.0

        54000000 030A 0504 09000000 00000000 01000000   # NEWCHAIN
          0B000100 686F737467770000                     # CHAIN_TABLE hostgw
          10000300 706F7374726F7574696E6700             # CHAIN_NAME postrouting
          08000700 6E617400                             # CHAIN_TYPE nat
          08000500 00000001                             # CHAIN_POLICY accept
          14000480 08000100 00000004                    # HOOKNUM postrouting
                   08000200 00000064                    # PRIORITY srcnat
        DB010000 060A 050C 0A000000 00000000 01000000   # NEWRULE create, append
          0B000100 686F737467770000                     # RULE_TABLE hostgw
          10000200 706F7374726F7574696E6700             # RULE_CHAIN postrouting
          8C010480                                      # EXPRESSIONS
            24000180 09000100 6D65746100000000          # meta
              14000280 08000200 0000000F                #   KEY nfproto
                       08000100 00000001                #   DREG 1
            29000180 08000100 636D7000                  # cmp
              1D000280 08000100 00000001                #   SREG 1
                       08000200 00000000                #   OP ==
                       09000380 05000100 02000000       #   DATA NFPROTO_IPV4
            34000180 0C000100 7061796C6F616400          # payload
              24000280 08000100 00000001                #   DREG 1
                       08000200 00000001                #   BASE network header
                       08000300 0000000C                #   OFFSET 12: saddr
                       08000400 00000004                #   LEN 4
            30000180 0B000100 6C6F6F6B75700000          # lookup
              20000280 0A000100 706F647334000000        #   SET pods4
                       08000200 00000001                #   SREG 1
                       08000500 00000000                #   FLAGS: is in
            34000180 0C000100 7061796C6F616400          # payload
              24000280 08000100 00000001
                       08000200 00000001
                       08000300 00000010                #   OFFSET 16: daddr
                       08000400 00000004
            30000180 0B000100 6C6F6F6B75700000          # lookup
              20000280 0C000100 6578656D70743400        #   SET exempt4
                       08000200 00000001
                       08000500 00000001                #   FLAGS: is not in
            28000180 08000100 66696200                  # fib
              1C000280 08000100 00000001                #   DREG 1
                       08000200 00000003                #   RESULT type
                       08000300 00000002                #   FLAGS daddr
            2C000180 08000100 636D7000                  # cmp
              20000280 08000100 00000001
                       08000200 00000001                #   OP !=
                       0C000380 08000100 02000000       #   DATA RTN_LOCAL, host order
            1C000180 09000100 6D61737100000000          # masq
              0C000280 08000100 00000010                #   FLAGS fully-random
          1F000700                                      # USERDATA: comment, 25 bytes
            0019 6B65707420627920686F737467772C20       # "kept by hostgw, "
            3137626363303132 00 00                      # "17bcc012"
        14000000 1100 0100 0B000000 00000000 0000000A   # BATCH_END
        """;

    public const string MovedElements = """
        14000000 1000 0100 01000000 00000000 0000000A   # BATCH_BEGIN
        58000000 0E0A 0500 02000000 00000000 02000000   # DELSETELEM, ip
          0B000100 686F737467770000                     # hostgw
          0C000200 6578656D70743400                     # exempt4
          2C000380
            10000180 0C000180 08000100 0A000000         # from 10.0.0.0
            18000180 08000300 00000001                  # INTERVAL_END
                     0C000180 08000100 0A000100         # to 10.0.1.0
        4C000000 0E0A 0500 03000000 00000000 0A000000   # DELSETELEM, ip6
          0B000100 686F737467770000                     # hostgw
          0C000200 6578656D70743600                     # exempt6
          20000380
            1C000180 18000180 14000100 FF000000000000000000000000000000   # from ff00::, no end
        70000000 0C0A 0504 04000000 00000000 0A000000   # NEWSETELEM create
          0B000100 686F737467770000                     # hostgw
          0C000200 6578656D70743600                     # exempt6
          44000380
            1C000180 18000180 14000100 FD000000000000000000000000000001
            24000180 08000300 00000001
                     18000180 14000100 FD000000000000000000000000000002
        14000000 1100 0100 05000000 00000000 0000000A   # BATCH_END
        """;

    public static string Hex(string golden) => string.Concat(
        golden.Split('\n').Select(line => line.Split('#')[0].Replace(" ", "", StringComparison.Ordinal)));
}
