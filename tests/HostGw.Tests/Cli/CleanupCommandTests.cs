using HostGw.Cli;
using HostGw.Platform;
using HostGw.Platform.Linux.Netlink;
using HostGw.Tests.Reconciliation;

namespace HostGw.Tests.Cli;

public class CleanupCommandTests
{
    private readonly Agent _agent = new();

    [Fact]
    public void It_removes_what_is_ours_and_nothing_else_and_says_so()
    {
        _agent.Pass();
        _agent.Host.Overwrite("10.99.0.0/24 via 10.0.0.9 dev eth0 proto 4");

        Assert.Equal((ExitCodes.Done,
            """
            removed route 10.244.2.0/24 via 10.0.0.2
            removed route 10.244.3.0/24 via 10.0.0.3
            removed local route 10.244.1.0/32 of a probe address
            removed local route fd00:10:244:1::/128 of a probe address
            removed the masquerade rule
            removed the guards of probes and tunnel (nftables table hostgw-guard)
            IPv4 forwarding stays on, for others may need it; off: sysctl -w net.ipv4.ip_forward=0
            IPv6 forwarding stays on, for others may need it; off: sysctl -w net.ipv6.conf.all.forwarding=0

            """, ""), Cleanup());
        Assert.Empty(_agent.Host.OurRoutes);
        Assert.Empty(_agent.Host.State.ProbeRoutes);
        Assert.Null(_agent.Host.Nat);
        Assert.Contains("10.99.0.0/24 via 10.0.0.9 dev eth0 proto 4", _agent.Host.Routes);
    }

    [Fact]
    public void What_router_advertisements_may_do_on_uplinks_and_interfaces_of_pods_stays_and_is_said()
    {
        Agent agent = new("", "eth0.7 10.0.0.1/24 fd00:aaaa::1/64; br0 10.244.1.1/24; veth1; docker0 172.17.0.1/16; 10.244.1.7/32 dev veth1");
        agent.Pass();
        agent.Host.State = agent.Host.State with
        {
            Interfaces = [.. agent.Host.State.Interfaces.Select(i => i with
            {
                AcceptRa = i.Name == "eth0.7" ? 2 : 0,
                IsPeerElsewhere = i.Name == "veth1",
            })],
        };

        Assert.EndsWith(
            """
            accept_ra=2 of eth0.7 stays, for a host that forwards IPv6 else loses the default route it has learnt there; the kernel's default: sysctl -w net.ipv6.conf.eth0/7.accept_ra=1
            accept_ra=0 of br0, veth1 stays, so that no pod becomes this host's default gateway; the kernel's default: sysctl -w net.ipv6.conf.br0.accept_ra=1 net.ipv6.conf.veth1.accept_ra=1

            """, Cleanup(agent).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ipv4", 128, 512, 1024, "")]
    [InlineData("ipv6", 200, 512, 1024,
        "the limits of the ipv6 neighbour table stay (200, 512, 1024), for others may need them; the kernel's defaults: " +
        "sysctl -w net.ipv6.neigh.default.gc_thresh1=128 net.ipv6.neigh.default.gc_thresh2=512 net.ipv6.neigh.default.gc_thresh3=1024")]
    public void Limits_of_the_neighbour_table_that_are_not_the_kernels_are_said(string family, int first, int second, int third, string said) =>
        Assert.Equal(said, string.Join('\n', RemainingSettings.Of(new NeighbourThresholds(family, first, second, third))));

    [Fact]
    public void A_clean_host_stays_as_it_is() =>
        Assert.Equal((ExitCodes.Done, "nothing of HostGw's is installed on this host\n", ""), Cleanup());

    [Fact]
    public void The_CNI_configuration_goes_too()
    {
        Agent agent = new("cni=on");
        agent.Pass();
        using StringWriter output = new() { NewLine = "\n" }, error = new();
        Assert.Equal((ExitCodes.Done, true), CleanupCommand.Run(agent.Host, output, error));
        Assert.StartsWith("removed 10-hostgw.conflist\n", output.ToString(), StringComparison.Ordinal);
        Assert.Null(agent.Host.Cni);
    }

    [Fact]
    public void A_CNI_configuration_in_a_read_only_directory_is_named_and_not_said_to_be_gone()
    {
        Agent agent = new("cni=on");
        agent.Pass();
        agent.Host.CniIsReadOnly = true;
        using StringWriter output = new() { NewLine = "\n" }, error = new() { NewLine = "\n" };
        Assert.Equal((ExitCodes.Failed, false), CleanupCommand.Run(agent.Host, output, error));
        const string file = "/etc/cni/net.d/10-hostgw.conflist";
        Assert.Equal($"could not remove {file}, which is mounted read-only; on the host: rm {file}\n", error.ToString());
        Assert.DoesNotContain(file, output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_be_removed_is_not_said_to_be_gone()
    {
        _agent.Pass();
        _agent.Host.Refusal = what => what is "delete 10.244.2.0/24" or "nat removed" || what.StartsWith("delete probe", StringComparison.Ordinal) ? new HostRefusal("Device or resource busy") : null;

        (int exitCode, string output, string error) = Cleanup();

        Assert.Equal(ExitCodes.Failed, exitCode);
        Assert.StartsWith("removed route 10.244.3.0/24 via 10.0.0.3\nremoved the guards of probes and tunnel (nftables table hostgw-guard)\nIPv4 forwarding stays on", output, StringComparison.Ordinal);
        Assert.Equal("could not nat removed: Device or resource busy\ncould not delete 10.244.2.0/24: Device or resource busy\n" +
            "could not delete probe route 10.244.1.0/32: Device or resource busy\n" +
            "could not delete probe route fd00:10:244:1::/128: Device or resource busy\n", error);
    }

    [Fact]
    public void Without_rights_it_ends_with_4()
    {
        _agent.Pass();
        _agent.Host.Refusal = _ => new NetlinkException("delete route", Errno.EPERM);

        (int exitCode, string output, _) = Cleanup();

        Assert.Equal(ExitCodes.NoRights, exitCode);
        Assert.DoesNotContain("removed", output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_host_that_cannot_be_read_is_not_touched()
    {
        _agent.Pass();
        _agent.Host.ReadRefusal = new HostRefusal("No buffer space available");

        Assert.Throws<HostRefusal>(() => Cleanup());
        Assert.Equal(2, _agent.Host.OurRoutes.Count());
    }

    private (int ExitCode, string Output, string Error) Cleanup() => Cleanup(_agent);

    private static (int ExitCode, string Output, string Error) Cleanup(Agent agent)
    {
        using StringWriter output = new() { NewLine = "\n" }, error = new() { NewLine = "\n" };
        return (CleanupCommand.Run(agent.Host, output, error).ExitCode, output.ToString(), error.ToString());
    }
}
