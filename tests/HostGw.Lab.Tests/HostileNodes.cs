using System.Text.Json.Nodes;
using HostGw.FakeApi;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>Node objects that would harm a host that believed them. The own node is node1, the good peer node2.</summary>
internal static class HostileNodes
{
    private static readonly string[] GoodAddresses = ["10.0.0.66", "fd00:10::66"];

    private static IEnumerable<(string Name, JsonObject Json)> Corpus() =>
    [
        .. PodCidrs.Select((cidr, i) => Named(new NodeSpec($"cidr-{i:00}") { PodCidrs = [cidr.Text], InternalIPs = GoodAddresses })),
        .. NextHops.Select((address, i) => Named(new NodeSpec($"address-{i:00}") { PodCidrs = [$"192.168.{100 + i}.0/24"], InternalIPs = [address.Text] })),
        .. Shapes.Select((shape, i) => ($"shape-{i:00}", Shaped($"shape-{i:00}", shape))),
        Named(new("no-address") { PodCidrs = ["192.168.90.0/24"] }),
        Named(new("no-address-of-the-family") { PodCidrs = ["fd00:192:168:90::/64"], InternalIPs = ["10.0.0.66"] }),
        Named(new("no-pod-cidr") { InternalIPs = GoodAddresses }),
        Named(new("annotated") { PodCidrs = ["192.168.91.0/24"], InternalIPs = GoodAddresses, Annotations = Note("hostgw.io/next-hop", "203.0.113.7") }),
        Named(new("annotated-garbage") { PodCidrs = ["192.168.92.0/24"], InternalIPs = GoodAddresses, Annotations = Note("hostgw.io/next-hop", "$(reboot)") }),
        Named(new("skipped") { PodCidrs = ["192.168.93.0/24"], InternalIPs = GoodAddresses, Annotations = Note("hostgw.io/skip", "true") }),
    ];

    /// <summary>podCIDRs, and what is wrong with each.</summary>
    private static readonly (string Text, string Wrong)[] PodCidrs =
    [
        ("not-a-cidr", "malformed"), ("192.168.300.0/24", "malformed"), ("192.168.60.0", "no length"), ("192.168.60.0/33", "length"),
        ("192.168.60.0/-1", "length"), ("192.168.60.0/024", "leading zero"), ("192.168.060.0/24", "leading zero"), (" 192.168.60.0/24", "blank"),
        ("192.168.60.0/24; reboot", "shell"), ("192.168.60.0/24\n0.0.0.0/0", "two lines"), ("{Node}", "log template"), ("", "empty"),
        (new string('1', 100_000), "huge text"), ("10.0.0.0/8", "huge"), ("192.0.0.0/15", "huge"), ("fd00::/16", "huge"), ("192.168.61.1/32", "a host"),
        ("192.168.77.5/24", "unaligned"), ("fd00:192:168:77::5/64", "unaligned"), ("0.0.0.0/0", "default"), ("::/0", "default"),
        ("0.0.0.0/1", "half of all"), ("128.0.0.0/1", "half of all"), ("8000::/1", "half of all"), ("8.8.8.0/24", "public"),
        ("2001:4860:4860::/64", "public"), ("::ffff:192.168.60.0/120", "v4-mapped"), ("127.0.0.0/16", "loopback"), ("169.254.1.0/24", "link-local"),
        ("fe80::/64", "link-local"), ("224.1.0.0/16", "multicast"), ("ff02::/64", "multicast"), ("10.0.0.0/24", "the segment with the API and the gateway"),
        ("10.0.0.0/30", "API server and gateway"), ("fd00:10::/64", "the segment"), ("172.16.53.0/24", "the resolver"), ("192.168.1.0/24", "the own podCIDR"),
        ("192.168.1.128/25", "inside the own podCIDR"), ("192.168.0.0/16", "covers the own podCIDR"), ("192.168.2.0/24", "node2's podCIDR"),
        ("192.168.2.64/26", "inside node2's podCIDR"), ("fd00:192:168:2::/80", "inside node2's podCIDR"),
        ("10.96.7.0/24", "a service network, by the API"), ("fd00:10:96::/112", "a service network, by the API"),
    ];

    /// <summary>Addresses, and why none of them may be a next hop.</summary>
    private static readonly (string Text, string Wrong)[] NextHops =
    [
        ("10.0.0.11", "this host itself"), ("192.168.2.77", "inside node2's podCIDR"), ("172.31.0.9", "not on the segment"), ("203.0.113.10", "not on the segment"),
        ("127.0.0.1", "loopback"), ("0.0.0.0", "nobody"), ("255.255.255.255", "everybody"), ("224.0.0.1", "multicast"), ("10.0.0.999", "malformed"),
        ("::ffff:10.0.0.66", "v4-mapped"), ("10.0.0.66 ", "blank"), ("`reboot`", "shell"), ("", "empty"),
    ];

    /// <summary>Spec and status with parts missing. Protobuf has no wrong types: broken bytes are the fuzz tests' part.</summary>
    private static readonly string[] Shapes =
    [
        """{"spec": null, "status": null}""",
        """{"spec": {"podCIDRs": ["192.168.95.0/24"]}, "status": {"addresses": [{"type": "InternalIP"}, {"address": "10.0.0.66"}, {}]}}""",
    ];

    /// <summary>Name → Node object. None of them may get a route. Below what it is made from, which is initialized first.</summary>
    public static IReadOnlyDictionary<string, JsonObject> All { get; } = Corpus().ToDictionary(node => node.Name, node => node.Json);

    private static (string, JsonObject) Named(NodeSpec spec) => (spec.Name, spec.ToJsonObject());

    private static JsonObject Shaped(string name, string json)
    {
        JsonObject node = JsonNode.Parse(json)!.AsObject();
        node["metadata"] = new JsonObject { ["name"] = name };
        return node;
    }

    private static Dictionary<string, string> Note(string key, string value) => new() { [key] = value };
}
