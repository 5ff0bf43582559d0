namespace HostGw.Tests.Kubernetes;

public class SandboxPathTests
{
    [Theory]
    [InlineData(null, "/etc/hostgw/config.yaml")]
    [InlineData("", "/etc/hostgw/config.yaml")]
    [InlineData(@"C:\C\4a2b", @"C:\C\4a2b/etc/hostgw/config.yaml")]
    [InlineData(@"C:\C\4a2b\", @"C:\C\4a2b/etc/hostgw/config.yaml")]
    public void A_pods_file_is_below_the_sandbox_if_it_is_there(string? sandbox, string expected) =>
        Assert.Equal(expected, SandboxPath.Of("/etc/hostgw/config.yaml", sandbox, p => p == expected));

    [Fact]
    public void Where_containerd_mounts_for_real_it_is_where_it_says() =>
        Assert.Equal("/etc/hostgw/config.yaml", SandboxPath.Of("/etc/hostgw/config.yaml", @"C:\hpc", _ => false));
}
