namespace HostGw.Tests.Net;

public class PrefixTests
{
    [Theory]
    [InlineData("10.244.1.0/24", "10.244.1.0", "10.244.1.255")]
    [InlineData("10.244.3.64/26", "10.244.3.64", "10.244.3.127")]
    [InlineData("0.0.0.0/0", "0.0.0.0", "255.255.255.255")]
    [InlineData("10.0.0.1/32", "10.0.0.1", "10.0.0.1")]
    [InlineData("fd00:1::/64", "fd00:1::", "fd00:1::ffff:ffff:ffff:ffff")]
    [InlineData("fd00::4/126", "fd00::4", "fd00::7")]
    [InlineData("::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")]
    [InlineData("::1/128", "::1", "::1")]
    public void Reaches_from_its_first_to_its_last_address(string text, string first, string last)
    {
        Prefix prefix = Prefix.Parse(text);
        Assert.Equal(first, prefix.Address.ToString());
        Assert.Equal(last, prefix.Last.ToString());
        Assert.True(prefix.IsAligned);
        Assert.True(prefix.Contains(prefix.Address) && prefix.Contains(prefix.Last));
        Assert.True(prefix.Length == 0 || !prefix.Contains(prefix.Last.Plus(1)));
    }

    [Theory]
    [InlineData("10.244.1.7/24", "10.244.1.0/24")]
    [InlineData("fd00:1::7/64", "fd00:1::/64")]
    [InlineData("128.0.0.0/0", "0.0.0.0/0")]
    [InlineData("8000::/0", "::/0")]
    public void Clearing_host_bits_aligns(string written, string aligned)
    {
        Assert.False(Prefix.Parse(written).IsAligned);
        Assert.Equal(aligned, Prefix.Parse(written).Aligned.ToString());
    }

    [Theory]
    [InlineData("10.0.0.0/8", "10.1.0.0/16", true)]
    [InlineData("10.0.0.0/8", "11.0.0.0/16", false)]
    [InlineData("10.1.0.0/16", "10.1.0.0/16", true)]
    [InlineData("0.0.0.0/0", "10.0.0.0/8", true)]
    [InlineData("::/0", "fd00::/64", true)]
    [InlineData("::/0", "10.0.0.0/8", false)]
    [InlineData("0.0.0.0/0", "::/96", false)]
    [InlineData("::/96", "0.0.0.0/0", false)]
    public void Overlap_is_mutual_and_within_one_family(string a, string b, bool expected)
    {
        Assert.Equal(expected, Prefix.Parse(a).Overlaps(Prefix.Parse(b)));
        Assert.Equal(expected, Prefix.Parse(b).Overlaps(Prefix.Parse(a)));
    }

    [Fact]
    public void No_prefix_and_no_address_hold_nothing()
    {
        Assert.False(default(Prefix).Contains(Ip.Parse("::")));
        Assert.False(default(Prefix).Contains(Ip.Parse("0.0.0.0")));
        Assert.False(Prefix.Parse("::/0").Contains(default(Ip)));
        Assert.False(Prefix.Parse("0.0.0.0/0").Contains(default(Ip)));
    }
}
