using HostGw.Planning;

namespace HostGw.Tests.Planning;

public class InterfaceChoiceTests
{
    private const string Self = "self 10.244.1.0/24,fd00:10:244:1::/64 10.0.0.1,fd00:aaaa::1";
    private const string TwoNics =
        "eth0 10.0.0.1/24 fd00:aaaa::1/64; eth1 10.1.0.1/24; cni0 10.244.1.1/24; default via 10.1.0.254 dev eth1";

    // The setting, the host, our own node, then the interface for IPv4 and for IPv6, or why there is none.
    public static TheoryData<string, string, string, string, string> Cases => new()
    {
        { "auto", TwoNics, Self, "eth0", "eth0" },
        { "auto", "eth0 10.0.0.1/24; eth1 fd00:aaaa::1/64", Self, "eth0", "eth1" },
        { "auto", "eth0 10.0.0.1/24; eth1 fd00:aaaa::1/64", "self 10.244.1.0/24 10.0.0.1", "eth0", "eth0" },
        { "auto", "eth0 10.0.0.1/24", "self - -", "this node's Node lists no address, neither InternalIP nor ExternalIP",
            "this node's Node lists no address, neither InternalIP nor ExternalIP" },
        { "auto", "eth0 10.9.0.1/24; eth1 10.0.0.1/24", "self 10.244.1.0/24 - external=10.0.0.1", "eth1", "eth1" },
        { "auto", "eth0 10.9.0.1/24; eth1 10.0.0.1/24", "self 10.244.1.0/24 fd00:aaaa::1 external=10.0.0.1", "eth1",
            "no interface holds this node's address fd00:aaaa::1 or routes to it" },
        { "auto", "eth0 10.0.0.1/24 down; eth1 10.1.0.1/24", "self 10.244.1.0/24 10.0.0.1,10.1.0.1", "eth1", "eth1" },
        { "auto", "eth0 10.0.0.1/24 down", "self 10.244.1.0/24 10.0.0.1", "interface eth0 is down", "interface eth0 is down" },
        { "auto", "old0 10.0.0.1/24 down; eth0 10.0.0.1/24", "self 10.244.1.0/24 10.0.0.1", "eth0", "eth0" },
        { "auto", "lo 10.0.0.1/32; eth0 10.9.0.1/24; default via 10.9.0.254 dev eth0", "self 10.244.1.0/24 10.0.0.1", "eth0", "eth0" },
        { "auto", "eth0 10.9.0.1/24; eth1 10.8.0.1/24; default via 10.9.0.254 dev eth0; 10.0.0.0/8 via 10.8.0.254 dev eth1",
            "self 10.244.1.0/24 10.0.0.1", "eth1", "eth1" },
        { "auto", "eth0 10.9.0.1/24; eth1 10.8.0.1/24; " +
            "10.0.0.0/8 via 10.9.0.9 dev eth0 metric 9; 10.0.0.0/8 via 10.8.0.9 dev eth1 metric 5",
            "self 10.244.1.0/24 10.0.0.1", "eth1", "eth1" },
        { "auto", "eth0 10.9.0.1/24; eth1 10.8.0.1/24; default via 10.9.0.254 dev eth0; 10.0.0.0/24 via 10.8.0.9 dev eth1 proto 157",
            "self 10.244.1.0/24 10.0.0.1", "eth0", "eth0" },
        { "auto", "eth0 2001:db8::9/64; default6 via fe80::1 dev eth0", "self fd00:10:244:1::/64 fd00:aaaa::1", "eth0", "eth0" },
        { "auto", "eth0 10.9.0.1/24", "self 10.244.1.0/24 10.0.0.1", "no interface holds this node's address 10.0.0.1 or routes to it",
            "no interface holds this node's address 10.0.0.1 or routes to it" },
        { "auto", TwoNics, "somebody 10.244.3.0/24 10.0.0.3", "this node's address is not known yet",
            "this node's address is not known yet" },
        { "eth1", TwoNics, Self, "eth1", "eth1" },
        { "eth1", TwoNics, "somebody 10.244.3.0/24 10.0.0.3", "eth1", "eth1" },
        { "eth9", TwoNics, Self, "no usable interface matches 'eth9' (setting interface)",
            "no usable interface matches 'eth9' (setting interface)" },
        { "eth1", "eth0 10.0.0.1/24; eth1 10.1.0.1/24 down", Self, "interface eth1 is down", "interface eth1 is down" },
        { "*1", TwoNics, Self, "eth1", "eth1" },
        { "eth?", TwoNics, Self, "eth0", "eth0" },
        { "eth?", TwoNics, "self 10.244.1.0/24 192.0.2.1",
            "'eth?' (setting interface) matches eth0, eth1, and none of them holds this node's address: it must match one",
            "'eth?' (setting interface) matches eth0, eth1, and none of them holds this node's address: it must match one" },
        { "eth*", "eth0 10.0.0.1/24 down; eth1 10.1.0.1/24", Self, "eth1", "eth1" },
        { "eth*", "eth0 down; eth1 down", Self, "no usable interface matches 'eth*' (setting interface)",
            "no usable interface matches 'eth*' (setting interface)" },
        { "ETH0", TwoNics, Self, "no usable interface matches 'ETH0' (setting interface)",
            "no usable interface matches 'ETH0' (setting interface)" },
        { "l*", "lan0 10.0.0.1/24", Self, "lan0", "lan0" },
        { "lo", "lan0 10.0.0.1/24", Self, "no usable interface matches 'lo' (setting interface)",
            "no usable interface matches 'lo' (setting interface)" },
        { "10.1.0.0/16", TwoNics, Self, "eth1", "eth1" },
        { "10.0.0.0/8", "cni0 10.244.1.1/24; eth0 10.0.0.1/24", Self, "eth0", "eth0" },
        { "10.0.0.0/8", TwoNics, Self, "eth0", "eth0" },
        { "10.0.0.0/24", "lb0 10.0.0.100/32; eth0 10.0.0.1/24", Self, "eth0", "eth0" },
        { "10.0.0.0/8", "eth0 10.0.0.1/24 down; eth1 10.1.0.1/24", Self, "eth1", "eth1" },
        { "10.0.0.0/8", "eth0 10.0.0.1/24 10.3.0.1/24", Self, "eth0", "eth0" },
        { "10.2.0.0/16", TwoNics, Self, "no interface has an address in 10.2.0.0/16 (setting interface)",
            "no interface has an address in 10.2.0.0/16 (setting interface)" },
        { "127.0.0.0/8", TwoNics, Self, "no interface has an address in 127.0.0.0/8 (setting interface)",
            "no interface has an address in 127.0.0.0/8 (setting interface)" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_interface_of_each_family(string setting, string host, string node, string expectedV4, string expectedV6)
    {
        ClusterNode? self = Given.Nodes(node).FirstOrDefault(n => n.Name == "self");
        Policy policy = new() { NodeName = "self", Interface = setting };
        Assert.Equal(expectedV4, Show(InterfaceChoice.For(ipv6: false, policy, Given.Host(host), self)));
        Assert.Equal(expectedV6, Show(InterfaceChoice.For(ipv6: true, policy, Given.Host(host), self)));
    }

    private static string Show(InterfaceChoice choice)
    {
        Assert.Equal(choice.IsUsable, choice.Reason.Length == 0);
        return choice.IsUsable ? choice.Interface!.Name : choice.Reason;
    }
}
