using System.Collections.Immutable;
using HostGw.Planning;

namespace HostGw.Lab.Tests.Platform;

/// <summary>Guards of node 1, and what the real nft shows of each.</summary>
internal static class GuardPlans
{
    public static readonly GuardPlan Probes = new(["nft1"], [9158]);

    public static readonly GuardPlan Tunnel = new(["nft1"], [4790, 9158])
    {
        Tunnel = new(
            4790, 157, Prefixes("192.0.2.1/32 192.0.2.2/32 2001:db8::1/128 2001:db8::2/128"), Prefixes("10.244.1.0/24 fd00:10:244:1::/64"),
            Prefixes("10.244.2.0/24 10.244.3.0/24 fd00:10:244:2::/64")),
    };

    public const string ProbesListed = """
        table inet hostgw-guard {
            chain prerouting {
                type filter hook prerouting priority raw; policy accept;
                udp dport 9158 jump port comment "kept by hostgw, FINGERPRINT"
            }

            chain input {
                type filter hook input priority raw; policy accept;
                udp dport 9158 jump port comment "kept by hostgw, FINGERPRINT"
            }

            chain forward {
                type filter hook forward priority raw; policy accept;
                udp dport 9158 jump port comment "kept by hostgw, FINGERPRINT"
            }

            chain port {
                iifname "nft1" return comment "kept by hostgw, FINGERPRINT"
                counter packets 0 bytes 0 drop comment "kept by hostgw, FINGERPRINT"
            }
        }

        """;

    public const string TunnelListed = """
        table inet hostgw-guard {
            set nodes4 {
                type ipv4_addr
                flags interval
                elements = { 192.0.2.1, 192.0.2.2 }
            }

            set nodes6 {
                type ipv6_addr
                flags interval
                elements = { 2001:db8::1, 2001:db8::2 }
            }

            set own4 {
                type ipv4_addr
                flags interval
                elements = { 10.244.1.0/24 }
            }

            set own6 {
                type ipv6_addr
                flags interval
                elements = { fd00:10:244:1::/64 }
            }

            set peers4 {
                type ipv4_addr
                flags interval
                elements = { 10.244.2.0/24, 10.244.3.0/24 }
            }

            set peers6 {
                type ipv6_addr
                flags interval
                elements = { fd00:10:244:2::/64 }
            }

            chain prerouting {
                type filter hook prerouting priority raw; policy accept;
                udp dport 4790 jump port comment "kept by hostgw, FINGERPRINT"
                udp dport 9158 jump port comment "kept by hostgw, FINGERPRINT"
                udp dport 4790 jump outer comment "kept by hostgw, FINGERPRINT"
                iifname "hostgw0" jump inner comment "kept by hostgw, FINGERPRINT"
                iifgroup 157 jump inner comment "kept by hostgw, FINGERPRINT"
            }

            chain input {
                type filter hook input priority raw; policy accept;
                udp dport 4790 jump translated comment "kept by hostgw, FINGERPRINT"
                udp dport 4790 jump port comment "kept by hostgw, FINGERPRINT"
                udp dport 9158 jump translated comment "kept by hostgw, FINGERPRINT"
                udp dport 9158 jump port comment "kept by hostgw, FINGERPRINT"
            }

            chain forward {
                type filter hook forward priority raw; policy accept;
                udp dport 4790 jump translated comment "kept by hostgw, FINGERPRINT"
                udp dport 4790 jump port comment "kept by hostgw, FINGERPRINT"
                udp dport 9158 jump translated comment "kept by hostgw, FINGERPRINT"
                udp dport 9158 jump port comment "kept by hostgw, FINGERPRINT"
            }

            chain port {
                iifname "nft1" return comment "kept by hostgw, FINGERPRINT"
                iifname "hostgw0" return comment "kept by hostgw, FINGERPRINT"
                counter packets 0 bytes 0 drop comment "kept by hostgw, FINGERPRINT"
            }

            chain translated {
                ct status dnat counter packets 0 bytes 0 drop comment "kept by hostgw, FINGERPRINT"
            }

            chain relayed {
                fib saddr type local return comment "kept by hostgw, FINGERPRINT"
                fib saddr type anycast return comment "kept by hostgw, FINGERPRINT"
                counter packets 0 bytes 0 drop comment "kept by hostgw, FINGERPRINT"
            }

            chain outer {
                ip saddr @nodes4 goto vni comment "kept by hostgw, FINGERPRINT"
                ip6 saddr @nodes6 goto vni comment "kept by hostgw, FINGERPRINT"
                counter packets 0 bytes 0 drop comment "kept by hostgw, FINGERPRINT"
            }

            chain vni {
                @th,96,24 0x9d notrack return comment "kept by hostgw, FINGERPRINT"
                counter packets 0 bytes 0 drop comment "kept by hostgw, FINGERPRINT"
            }

            chain inner {
                fib saddr type local counter packets 0 bytes 0 drop comment "kept by hostgw, FINGERPRINT"
                ip saddr @own4 counter packets 0 bytes 0 drop comment "kept by hostgw, FINGERPRINT"
                ip6 saddr @own6 counter packets 0 bytes 0 drop comment "kept by hostgw, FINGERPRINT"
                ip saddr @peers4 ip daddr @own4 accept comment "kept by hostgw, FINGERPRINT"
                ip saddr @nodes4 ip daddr @own4 accept comment "kept by hostgw, FINGERPRINT"
                ip6 saddr @peers6 ip6 daddr @own6 accept comment "kept by hostgw, FINGERPRINT"
                ip6 saddr @nodes6 ip6 daddr @own6 accept comment "kept by hostgw, FINGERPRINT"
                counter packets 0 bytes 0 drop comment "kept by hostgw, FINGERPRINT"
            }

            chain output {
                type filter hook output priority raw; policy accept;
                udp dport 4790 jump relayed comment "kept by hostgw, FINGERPRINT"
                udp dport 9158 jump relayed comment "kept by hostgw, FINGERPRINT"
                udp dport 4790 notrack comment "kept by hostgw, FINGERPRINT"
            }
        }

        """;

    public static GuardPlan With(this GuardPlan plan, Func<TunnelGuard, TunnelGuard> change) => plan with { Tunnel = change(plan.Tunnel!) };

    public static ImmutableArray<Prefix> Prefixes(string texts) => NftablesPlans.Prefixes(texts);
}
