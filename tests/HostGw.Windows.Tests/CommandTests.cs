namespace HostGw.Windows.Tests;

public sealed class CommandTests : WindowsNodeTest
{
    [Fact]
    public async Task Plan_says_what_the_agent_would_do_and_does_nothing()
    {
        string[] before = Host.Routes();
        (int exitCode, string output, string error) = await Wine.RunAsync("hostgw.exe", ["plan", "--exit-code", .. Flags], Environment);
        Assert.True(error.Length == 0, error);
        Assert.Equal(3, exitCode);
        Assert.Equal(
            """
            + 10.244.1.0/24 via 10.0.0.1 dev vEthernet (cbr0)
            + 10.244.1.0/24 via 10.0.0.1 dev vEthernet (Ethernet)
            + 10.244.2.0/24 via 10.0.0.2 dev vEthernet (cbr0)
            + 10.244.2.0/24 via 10.0.0.2 dev vEthernet (Ethernet)
            + 10.244.3.0/24 via 10.0.0.3 dev vEthernet (cbr0)
            + 10.244.3.0/24 via 10.0.0.3 dev vEthernet (Ethernet)
            + 10.244.4.0/24 on-link dev vEthernet (Ethernet)
            + 10.244.5.0/24 via 10.0.0.5 dev vEthernet (cbr0)
            + 10.244.5.0/24 via 10.0.0.5 dev vEthernet (Ethernet)
            ~ turn IPv4 forwarding on

            """, output);
        Assert.Equal(before, Host.Routes());
    }

    [Fact]
    public async Task Cleanup_removes_what_is_ours_and_nothing_else()
    {
        Host.Do($"route 10.244.9.0/24 10.0.0.9 {StandInHost.Uplink} 300 3");
        await using (WindowsAgent agent = StartAgent())
        {
            await agent.EventuallyRoutesAsync([.. Wanted, "10.244.9.0/24 10.0.0.9 uplink 300"]);
            await agent.StopAsync();
        }
        (int exitCode, string output, string error) = await Wine.RunAsync("hostgw.exe", ["cleanup", .. StateFlags], Environment);
        Assert.True(error.Length == 0, error);
        Assert.Equal(0, exitCode);
        Assert.Contains("removed route 10.244.2.0/24 via 10.0.0.2\n", output, StringComparison.Ordinal);
        Assert.Contains("Set-NetIPInterface -InterfaceAlias 'vEthernet (cbr0)' -AddressFamily IPv4 -Forwarding Disabled", output, StringComparison.Ordinal);
        Assert.Equal([.. DefaultRoute, "10.244.9.0/24 10.0.0.9 uplink 300"], Host.Routes());
    }

    // containerd before 1.7; and kube-proxy does not run yet, so that the service's address leads nowhere.
    [Fact]
    public async Task In_a_hostprocess_container_the_pods_files_are_below_the_sandbox_and_the_api_server_may_be_named()
    {
        string sandbox = PathTo("sandbox");
        Api.WriteServiceAccount(Path.Combine(sandbox, "var/run/secrets/kubernetes.io/serviceaccount"));
        Directory.CreateDirectory(Path.Combine(sandbox, "etc/hostgw"));
        await File.WriteAllTextAsync(Path.Combine(sandbox, "etc/hostgw/config.yaml"), $"apiServer: {Server}\nclusterCidrs: 10.244.0.0/16\n", TestContext.Current.CancellationToken);
        Dictionary<string, string> environment = Environment;
        environment["CONTAINER_SANDBOX_MOUNT_POINT"] = Wine.PathOf(sandbox);
        environment["KUBERNETES_SERVICE_HOST"] = "10.96.0.1";
        environment["KUBERNETES_SERVICE_PORT"] = "443";
        environment["HOSTGW_NODE_NAME"] = Name;
        (int exitCode, string output, string error) = await Wine.RunAsync("hostgw.exe", ["plan", .. StateFlags], environment);
        Assert.True(error.Length == 0, error);
        Assert.Equal(0, exitCode);
        Assert.Contains("+ 10.244.1.0/24 via 10.0.0.1 dev vEthernet (cbr0)\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Structures_of_the_sdk_lie_in_memory_as_the_tests_on_linux_assume()
    {
        (int exitCode, string output, _) = await Wine.RunAsync("layout.exe", [], Environment);
        Assert.Equal((0, await File.ReadAllTextAsync(Path.Combine(Wine.Root, "tests/native/layout.txt"), TestContext.Current.CancellationToken)), (exitCode, output));
    }
}
