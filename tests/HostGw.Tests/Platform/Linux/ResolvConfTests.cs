using HostGw.Platform.Linux;

namespace HostGw.Tests.Platform.Linux;

public class ResolvConfTests
{
    [Theory]
    [InlineData("nameserver 10.0.0.53", "10.0.0.53")]
    [InlineData("  nameserver\t10.0.0.53   ", "10.0.0.53")]
    [InlineData("nameserver fd00::53", "fd00::53")]
    [InlineData("nameserver fe80::1%eth0", "fe80::1")]
    [InlineData("nameserver 10.0.0.53 # the old one", "10.0.0.53")]
    [InlineData("nameserver 127.0.0.53\noptions edns0\nsearch example.org\nnameserver 10.0.0.54", "127.0.0.53 10.0.0.54")]
    [InlineData("# nameserver 10.0.0.53", "")]
    [InlineData(";nameserver 10.0.0.53", "")]
    [InlineData("nameserver", "")]
    [InlineData("nameserver dns.example.org", "")]
    [InlineData("nameserver 10.0.53", "")]
    [InlineData("nameservers 10.0.0.53", "")]
    [InlineData("", "")]
    public void Resolvers_are_read(string text, string expected) =>
        Assert.Equal(expected, string.Join(' ', ResolvConf.Parse(text.Split('\n'))));

    [Fact]
    public void A_file_that_is_not_there_names_none() => Assert.Empty(ResolvConf.Read("/nonexistent/resolv.conf"));
}
