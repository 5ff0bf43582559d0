using System.Text;
using HostGw.Platform.Cni;

namespace HostGw.Tests.Platform.Cni;

public class CniReservationTests
{
    // Each case: the files, and what follows for the first address of each podCIDR: an obstacle, or the subnets.
    public static TheoryData<string, string[], string> Cases => new()
    {
        { "no configuration: nobody gives addresses", [], "" },
        { "HostGw's", ["10-hostgw.conflist {}"], "" },
        { "HostGw's comes first", ["00-hostgw.conflist {}", "05-cilium.conflist " + List("cilium-cni")], "" },
        { "another plugin's comes first", ["05-cilium.conflist " + List("cilium-cni"), "10-hostgw.conflist {}"],
            "! whether pods get the gateway addresses of podCIDRs is not known: 05-cilium.conflist, the CNI configuration in use, is not " +
            "HostGw's and does not name host-local" },
        { "loopback gives no addresses", ["00-loopback.conflist " + List("loopback"), "10-hostgw.conflist {}"], "" },
        { "host-local with one subnet", ["10-bridge.conf " + Bridge("'subnet': '10.244.1.0/24'")], "10.244.1.0/24" },
        { "host-local with ranges, in a list", ["10-bridge.conflist {'name': 'x', 'plugins': [" +
            Bridge("'ranges': [[{'subnet': '10.244.1.0/24'}], [{'subnet': 'fd00:10:244:1::/64'}]]") + "]}"],
            "10.244.1.0/24 fd00:10:244:1::/64" },
        { "its gateway is the first address", ["10-bridge.conf " + Bridge("'subnet': '10.244.1.0/24', 'gateway': '10.244.1.1'")],
            "10.244.1.0/24" },
        { "its gateway is another one: the first address is a pod's",
            ["10-bridge.conf " + Bridge("'subnet': '10.244.1.0/24', 'gateway': '10.244.1.254'")],
            "! the CNI configuration in use, 10-bridge.conf, reserves 10.244.1.254 of 10.244.1.0/24, and not the first address" },
        { "the podCIDR by a word", ["10-bridge.conf " + Bridge("'subnet': 'usePodCidr'")], "" },
        { "another IPAM", ["10-bridge.conf {'type': 'bridge', 'ipam': {'type': 'dhcp'}}"],
            "! whether pods get the gateway addresses of podCIDRs is not known: 10-bridge.conf, the CNI configuration in use, is not " +
            "HostGw's and does not name host-local" },
        { "a list that is none", ["10-bridge.conf {'type': 'bridge', 'plugins': 'x', 'ipam': {'type': 'host-local', 'subnet': '10.244.1.0/24'}}"],
            "10.244.1.0/24" },
        { "a file that may not be read", ["05-secret.conf"], "! the CNI configuration 05-secret.conf cannot be read" },
        { "half a surrogate pair as the subnet", ["05-x.conf " + Bridge(@"'subnet': '\ud800'")],
            "! the CNI configuration 05-x.conf cannot be read" },
        { "half a surrogate pair as the gateway", ["05-x.conf " + Bridge(@"'subnet': '10.244.1.0/24', 'gateway': '\ud800'")],
            "! the CNI configuration 05-x.conf cannot be read" },
        { "half a surrogate pair as the kind of IPAM", [@"05-x.conf {'type': 'bridge', 'ipam': {'type': '\ud800'}}"],
            "! the CNI configuration 05-x.conf cannot be read" },
        { "half a surrogate pair in a name", ["05-x.conf " + Bridge(@"'subnet': '10.244.1.0/24', '\ud800gateway': ''")],
            "! the CNI configuration 05-x.conf cannot be read" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_first_address_is_free_where_the_configuration_in_use_reserves_it(string because, string[] files, string expected)
    {
        Dictionary<string, byte[]?> texts = files.Select(f => f.Split(' ', 2)).ToDictionary(
            f => f[0], f => f.Length > 1 ? Encoding.UTF8.GetBytes(f[1].Replace('\'', '"')) : null);
        CniReservation found = CniReservation.Of([.. texts.Keys], name => texts[name]);
        string actual = found.Obstacle.Length > 0 ? $"! {found.Obstacle}" : string.Join(' ', found.Subnets ?? []);
        Assert.True(expected == actual, $"{because}: {actual}");
    }

    private static string List(string plugin) => $"{{'name': 'x', 'plugins': [{{'type': '{plugin}'}}]}}";

    private static string Bridge(string ipam) => $"{{'type': 'bridge', 'ipam': {{'type': 'host-local', {ipam}}}}}";
}
