using HostGw.FakeApi;

namespace HostGw.Arm64.Tests;

/// <summary>The program of the arm64 image, compared with that of this machine.</summary>
public sealed class ProgramTests
{
    private const int Nodes = 500;

    [Fact]
    public async Task Its_version_is_that_of_the_other_build()
    {
        Result native = await Programs.NativeAsync("--version"), arm64 = await Programs.Arm64Async("hostgw", "--version");
        Assert.Equal(0, arm64.ExitCode);
        Assert.Equal(native, arm64);
    }

    // Over TLS with the image's own OpenSSL. nat.backend is none because qemu-user cannot reach nftables.
    [Fact]
    public async Task Plan_says_the_same_as_the_other_build()
    {
        await using FakeApiServer api = await FakeApiServer.StartAsync();
        for (int number = 1; number <= Nodes; number++)
            api.Nodes.Put(NodeFactory.Node(number, realistic: true));
        string kubeconfig = Path.GetTempFileName();
        api.WriteKubeconfig(kubeconfig);
        string[] plan =
        [
            "plan", "--node-name", NodeFactory.Node(1).Name, "--kubeconfig", kubeconfig, "--cluster-cidrs", "10.0.0.0/8", "--nat-backend", "none",
        ];
        Result native = await Programs.NativeAsync(plan), arm64 = await Programs.Arm64Async("hostgw", plan);
        File.Delete(kubeconfig);
        Assert.Equal(0, arm64.ExitCode);
        Assert.Equal(Nodes - 1, arm64.Output.Split('\n').Count(line => line.StartsWith("+ 10.", StringComparison.Ordinal)));
        Assert.Equal(native, arm64);
    }
}
