using System.Collections.Immutable;
using HostGw.Planning;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Platform.Linux;

/// <summary>Words for a chain, made by nft or firewalld, that drops what this host forwards. Pure.</summary>
internal static class ForwardObstacle
{
    /// <summary>Null where the chain sees no traffic of these prefixes.</summary>
    public static string? Describe(NftHookChain chain, ImmutableArray<Prefix> podCidrs)
    {
        Prefix[] concerned = [.. podCidrs.Where(p => chain.Family == NftFamily.Inet || p.IsIPv4 == (chain.Family == NftFamily.IPv4))];
        if (concerned.Length == 0)
            return null;
        string pods = string.Join(", ", concerned);
        return chain.Table == "firewalld"
            ? $"firewalld drops forwarded packets that no zone allows; unless a zone allows {pods}: " +
              $"{string.Join("; ", concerned.Select(p => $"firewall-cmd --permanent --zone=trusted --add-source={p}"))}; firewall-cmd --reload"
            : $"chain {chain.Name} of the nftables table {NftNames.Of(chain.Family)} {chain.Table} drops forwarded packets that no rule of it accepts; " +
              $"unless one accepts packets from and to {pods}, add such rules there: " +
              string.Join("; ", concerned.SelectMany(p => (string[])[Rule(chain, p, "saddr"), Rule(chain, p, "daddr")]));
    }

    private static string Rule(NftHookChain chain, Prefix podCidr, string direction) =>
        $"nft insert rule {NftNames.Of(chain.Family)} {chain.Table} {chain.Name} {(podCidr.IsIPv4 ? "ip" : "ip6")} {direction} {podCidr} accept";
}
