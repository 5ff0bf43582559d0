using HostGw.Planning;
using HostGw.Reconciliation;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Reconciliation;

public class DuplicateAddressDetectionTests
{
    // Ends of pairs into other namespaces: "veth1 [addresses]"; then where detection is turned off.
    [Theory]
    [InlineData("veth0a1b", "veth0a1b")]
    [InlineData("veth0a1b fe80::1/64", "veth0a1b")]
    [InlineData("veth0a1b 10.244.1.1/32", "")]
    [InlineData("veth0a1b fd00:10:244:1::1/128", "")]
    [InlineData("eth1", "")]
    public void It_is_turned_off_for_a_new_pod_alone(string link, string expected) => Assert.Equal(expected, Off(link));

    [Fact]
    public void Ports_of_bridges_and_pairs_inside_the_host_are_left_alone() => Assert.Equal("", Off("veth1", isPeerElsewhere: false));

    [Fact]
    public void Nothing_is_written_twice() => Assert.Equal("", Off("veth1", acceptDad: 0));

    [Fact]
    public void Without_HostGws_own_CNI_configuration_interfaces_are_another_programs() => Assert.Equal("", Off("veth1", cni: false));

    [Fact]
    public void While_the_runtime_uses_another_programs_configuration_interfaces_are_that_programs() =>
        Assert.Equal("", Off("veth1", isUsed: false));

    [Fact]
    public void Without_an_IPv6_podCIDR_no_setting_is_changed() => Assert.Equal("", Off("veth1", podCidr: "10.244.1.0/24"));

    [Fact]
    public void Who_turns_IPv6_forwarding_on_does_not_matter() => Assert.Equal("veth1", Off("veth1", forward: false));

    private static string Off(
        string link, bool isPeerElsewhere = true, int acceptDad = 1, bool cni = true, bool forward = true, bool isUsed = true,
        string podCidr = "fd00:10:244:1::/64")
    {
        HostState host = Given.Host($"{Given.Lan}; {link}");
        host = host with
        {
            UsesOwnCni = isUsed,
            Interfaces =
            [
                .. host.Interfaces.Select(i =>
                    i with { AcceptDad = acceptDad, IsPeerElsewhere = isPeerElsewhere && i.Name != "eth0" && !i.IsLoopback }),
            ],
        };
        Plan plan = new() { ForwardIPv6 = forward, Cni = cni ? new([Prefix.Parse(podCidr)], 1500) : null };
        return string.Join(' ', DuplicateAddressDetection.Unneeded(plan, host));
    }
}
