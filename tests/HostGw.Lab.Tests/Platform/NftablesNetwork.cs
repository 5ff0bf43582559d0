using HostGw.Lab.Network;
using Ip = HostGw.Lab.Network.Ip;

namespace HostGw.Lab.Tests.Platform;

/// <summary>This process's own network as a node, with a pod on one side and, on the other, a host that also plays a pod of another node.</summary>
public sealed class NftablesNetwork : IDisposable
{
    private static readonly string[] Names = ["nft-pod", "nft-outside"];

    public NftablesNetwork()
    {
        NetworkNamespace.Create(Names);
        File.WriteAllText("/proc/sys/net/ipv4/ip_forward", "1");
        File.WriteAllText("/proc/sys/net/ipv6/conf/all/forwarding", "1");
        Ip.Batch(
        [
            "link add nft0 type veth peer name eth0 netns nft-pod",
            "link add nft1 type veth peer name eth0 netns nft-outside",
            "addr add 10.244.1.1/24 dev nft0", "addr add fd00:10:244:1::1/64 dev nft0 nodad", "link set nft0 up",
            "addr add 192.0.2.1/24 brd + dev nft1", "addr add 192.0.2.100/32 dev nft1",
            "addr add 2001:db8::1/64 dev nft1 nodad", "link set nft1 up",
            "route add 10.244.2.0/24 via 192.0.2.2", "route add fd00:10:244:2::/64 via 2001:db8::2",
        ]);
        Pod.Configure(
        [
            "addr add 10.244.1.5/24 dev eth0", "addr add fd00:10:244:1::5/64 dev eth0 nodad", "link set eth0 up",
            "route add default via 10.244.1.1", "route add default via fd00:10:244:1::1",
        ]);
        Outside.Configure(
        [
            "addr add 192.0.2.2/24 brd + dev eth0", "addr add 2001:db8::2/64 dev eth0 nodad", "link set eth0 up",
            "addr add 192.0.2.3/32 dev eth0", "addr add 2001:db8::3/128 dev eth0 nodad",
            "route add 10.244.1.0/24 via 192.0.2.1", "route add fd00:10:244:1::/64 via 2001:db8::1",
            "addr add 10.244.2.5/24 dev lo", "addr add fd00:10:244:2::5/64 dev lo nodad",
        ]);
    }

    public NetworkNamespace Pod { get; } = new(Names[0]);

    public NetworkNamespace Outside { get; } = new(Names[1]);

    public void Dispose()
    {
        Ip.Batch(["link del nft0", "link del nft1"]);
        NetworkNamespace.Delete(Names);
    }
}
