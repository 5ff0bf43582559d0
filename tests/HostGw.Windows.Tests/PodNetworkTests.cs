namespace HostGw.Windows.Tests;

/// <summary>HNS and the CNI configuration, on a node as it is before anybody made a network for pods.</summary>
public sealed class PodNetworkTests : WindowsNodeTest
{
    private const string Created = """{"IpConfigurations":[{"IpAddress":"10.244.4.7","PrefixLength":24}],"Policies":[{"Type":"OutBoundNAT","Settings":{"Exceptions":["10.0.0.0/8"]}}]}""";

    private string CniFile => PathTo("net.d/10-hostgw.conflist");

    private string[] CniFlags => ["--cni-install", "true", "--cni-config-directory", Wine.PathOf(PathTo("net.d")), "--cni-bin-directory", Wine.PathOf(PathTo("bin"))];

    [Fact]
    public async Task It_is_made_when_asked_and_made_again_after_hns_lost_it()
    {
        Host.Do($"remove-interface {StandInHost.PodEndpoint}");
        await using WindowsAgent agent = StartAgent("--windows-create-network", "true", "--windows-correct-out-bound-nat", "true");
        await agent.EventuallyRoutesAsync(Wanted);
        Host.Do("settle");
        // What comes of it is news: the agent notices by itself that HNS began again.
        Host.Do("hcn-forget");
        await agent.EventuallyRoutesAsync(Wanted);
        Assert.Contains("vEthernet (cbr0)", Host.Ask("interfaces"), StringComparison.Ordinal);

        // A pod's endpoint as an older configuration made it, without the service network that the API names; what wakes the agent is of no matter.
        Host.Do($"hcn-endpoint {Created}");
        Host.Do($"remove-route 10.244.1.0/24 10.0.0.1 {StandInHost.Uplink}");
        await agent.EventuallyAsync(
            () => Host.Ask("hcn-endpoints").Contains("""[{"Type":"OutBoundNAT","Settings":{"Exceptions":["10.96.0.0/16","10.244.0.0/16"]}}]""", StringComparison.Ordinal), () => Host.Ask("hcn-endpoints"));
    }

    [Fact]
    public async Task The_node_gets_a_cni_configuration_that_is_kept_and_goes_with_cleanup()
    {
        foreach (string plugin in (string[])["win-bridge.exe", "host-local.exe"])
        {
            Directory.CreateDirectory(PathTo("bin"));
            await File.WriteAllTextAsync(PathTo($"bin/{plugin}"), "", TestContext.Current.CancellationToken);
        }
        await using (WindowsAgent agent = StartAgent(CniFlags))
        {
            await agent.EventuallyAsync(() => File.Exists(CniFile), () => "no CNI configuration");
            string text = await File.ReadAllTextAsync(CniFile, TestContext.Current.CancellationToken);
            Assert.Contains("\"type\": \"win-bridge\"", text, StringComparison.Ordinal);
            File.Delete(CniFile);
            await agent.EventuallyAsync(() => File.Exists(CniFile) && File.ReadAllText(CniFile) == text, () => "it was not written again");
            await agent.StopAsync();
        }
        Assert.True(File.Exists(CniFile));
        (int exitCode, string output, _) = await Wine.RunAsync("hostgw.exe", ["cleanup", .. StateFlags, .. CniFlags[2..4]], Environment);
        Assert.Equal((0, false), (exitCode, File.Exists(CniFile)));
        Assert.Contains("removed ", output, StringComparison.Ordinal);
    }
}
