using HostGw.Planning;
using HostGw.Settings;

namespace HostGw.Tests.Settings;

public class SettingsReaderTests
{
    [Fact]
    public void A_flag_beats_the_environment_which_beats_the_file_which_beats_the_default()
    {
        var file = new Given { File = "resyncSeconds: 10" };
        var environment = file with { Variables = new() { ["HOSTGW_RESYNC_SECONDS"] = "20" } };
        var flag = environment with { Flags = "--resync-seconds 30" };

        Assert.Equal([60, 10, 20, 30], new[] { new Given(), file, environment, flag }.Select(g => g.Read().ResyncSeconds));
    }

    [Fact]
    public void A_stronger_source_replaces_a_list_whole()
    {
        var given = new Given { File = "nat: {exempt: [192.0.2.0/24]}", Variables = { ["HOSTGW_NAT_EXEMPT"] = "" } };
        Assert.Empty(given.Read().Policy.Nat.Exempt);
    }

    [Fact]
    public void A_value_that_a_stronger_source_replaces_is_not_checked() =>
        Assert.Equal(30, new Given { File = "resyncSeconds: never", Flags = "--resync-seconds 30" }.Read().ResyncSeconds);

    [Fact]
    public void All_errors_are_reported_together()
    {
        var given = new Given
        {
            File = "resyncSeconds: 1\nnextHops: x",
            Variables = { ["HOSTGW_LISTEN"] = "x", ["HOSTGW_NAT_BACKED"] = "auto" },
            Flags = "--adopt some",
        };
        Assert.Equal(
            [
                "config.yaml:2: 'nextHops' is no setting; the nearest is nextHop",
                "'HOSTGW_NAT_BACKED' is no setting; the nearest variable is HOSTGW_NAT_BACKEND",
                "adopt: 'some' must be equivalent, all or none (flag --adopt)",
                "resyncSeconds: '1' must be a whole number from 5 to 3600 (config.yaml:1)",
                "listen: 'x' must be an address and a port such as 127.0.0.1:9157 or [::1]:9157 (variable HOSTGW_LISTEN)",
            ],
            given.Errors());
    }

    [Fact]
    public void A_command_checks_only_the_values_it_uses_but_every_name()
    {
        var given = new Given { Command = UsedBy.Status, Flags = "--listen 127.0.0.1:9000", File = "clusterCidrs: nonsense" };
        Assert.Equal(9000, given.Read().Listen.Port);
        Assert.Equal(
            "config.yaml:1: 'clusterCidr' is no setting; the nearest is clusterCidrs", (given with { File = "clusterCidr: x" }).Error());
    }

    [Fact]
    public void The_config_file_is_the_flags_or_the_variables_or_the_default()
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, "resyncSeconds: 99");
            Assert.Equal(99, new Given { Flags = $"--config {file}", File = "resyncSeconds: 10" }.Read().ResyncSeconds);
            Assert.Equal(99, new Given { Variables = { ["HOSTGW_CONFIG"] = file } }.Read().ResyncSeconds);
            Assert.Equal(99, new Given { Flags = $"--config {file}", Variables = { ["HOSTGW_CONFIG"] = "/nowhere" } }.Read().ResyncSeconds);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void A_config_file_that_was_asked_for_must_be_readable()
    {
        Assert.StartsWith("config: '/nowhere/x.yaml' (flag --config) cannot be read: ",
            new Given { Flags = "--config /nowhere/x.yaml" }.Error(), StringComparison.Ordinal);
        Assert.StartsWith("config: '/proc' (variable HOSTGW_CONFIG) cannot be read: ",
            new Given { Variables = { ["HOSTGW_CONFIG"] = "/proc" } }.Error(), StringComparison.Ordinal);
        Assert.Equal(
            "config: '/dev/zero' (flag --config) cannot be read: it is larger than 1 MB",
            new Given { Flags = "--config /dev/zero" }.Error());
    }

    [Theory]
    [InlineData("HOSTGW_SERVICE_HOST")]
    [InlineData("HOSTGW_SERVICE_PORT")]
    [InlineData("HOSTGW_SERVICE_PORT_METRICS")]
    [InlineData("HOSTGW_PORT")]
    [InlineData("HOSTGW_PORT_9157_TCP")]
    [InlineData("HOSTGW_PORT_9157_TCP_ADDR")]
    [InlineData("HOSTGW_METRICS_SERVICE_HOST")]
    [InlineData("HOSTGW_METRICS_PORT_9157_TCP_PROTO")]
    [InlineData("PATH")]
    public void What_Kubernetes_injects_is_no_setting_and_no_error(string variable) =>
        Assert.Equal(60, new Given { Variables = { [variable] = "tcp://10.96.0.7:9157" } }.Read().ResyncSeconds);

    [Theory]
    [InlineData("HOSTGW_SERVICE_CIDR", "HOSTGW_SERVICE_CIDRS")]
    [InlineData("HOSTGW_RANDOM_FULLY", "HOSTGW_NAT_RANDOM_FULLY")]
    [InlineData("HOSTGW_RESYNCSECONDS", "HOSTGW_RESYNC_SECONDS")]
    [InlineData("HOSTGW_CONFIGS", "HOSTGW_CONFIG")]
    public void A_misspelt_variable_is_an_error_that_names_the_nearest(string variable, string nearest) =>
        Assert.Equal(
            $"'{variable}' is no setting; the nearest variable is {nearest}", new Given { Variables = { [variable] = "x" } }.Error());

    [Fact]
    public void A_flag_given_twice_is_a_usage_error() =>
        Assert.NotEmpty(Given.Root(UsedBy.Agent).Parse("run --adopt all --adopt none").Errors);

    [Fact]
    public void A_cluster_route_needs_a_cluster_cidr()
    {
        const string error = "clusterRoute: on (flag --cluster-route) needs an IPv4 prefix in clusterCidrs, to which the route leads";
        Assert.Equal(error, new Given { Flags = "--cluster-route on" }.Error());
        Assert.Equal(error, new Given { Flags = "--cluster-route on --cluster-cidrs fd00::/56" }.Error());
        new Given { Flags = "--cluster-route on --cluster-cidrs 10.244.0.0/16" }.Read();
    }

    // What none of them says alone; each names the cure.
    [Theory]
    [InlineData("--tunnel-mode auto --next-hop PodGateway", "tunnel.mode: auto (flag --tunnel-mode) needs nextHop: NodeAddress: " +
        "with PodGateway each peer must be on this segment; set tunnel.mode to off, or nextHop to NodeAddress")]
    [InlineData("--tunnel-mode always --tunnel-port 9158",
        "tunnel.mode: always (flag --tunnel-mode): tunnel.port and probe.port are both 9158; set one of them to a port of its own")]
    [InlineData("--tunnel-mode auto --probe-enabled false", "tunnel.mode: auto (flag --tunnel-mode) needs probe.enabled: true, " +
        "for answers to probes decide which peers take the tunnel; set tunnel.mode to off or always, or turn the probes on")]
    public void A_tunnel_that_cannot_be_is_an_error(string flags, string expected) =>
        Assert.Equal(expected, new Given { Flags = flags }.Error());

    [Theory]
    [InlineData("--next-hop PodGateway", nameof(TunnelMode.Off))]
    [InlineData("--tunnel-port 9158", nameof(TunnelMode.Off))]
    [InlineData("--probe-enabled false", nameof(TunnelMode.Off))]
    [InlineData("--probe-enabled false --tunnel-mode always", nameof(TunnelMode.Always))]
    public void Without_a_tunnel_or_for_always_it_is_none(string flags, string mode) =>
        Assert.Equal(mode, new Given { Flags = flags }.Read().Policy.Tunnel.Mode.ToString());

    [Fact]
    public void A_policy_rule_needs_a_cluster_cidr()
    {
        Assert.Equal(
            "policyRule: on (flag --policy-rule) needs clusterCidrs, to which the rule applies", new Given { Flags = "--policy-rule on" }.Error());
        new Given { Flags = "--policy-rule on --cluster-cidrs fd00::/56" }.Read();
    }

    [Fact]
    public void Service_networks_and_pod_networks_must_be_apart() =>
        Assert.Equal(
            "serviceCidrs: '10.96.0.0/12' (config.yaml:1) must not overlap '10.100.0.0/16' of clusterCidrs (variable HOSTGW_CLUSTER_CIDRS)",
            new Given
            {
                File = "serviceCidrs: 10.96.0.0/12",
                Variables = { ["HOSTGW_CLUSTER_CIDRS"] = "10.244.0.0/16,10.100.0.0/16" },
            }.Error());
}
