namespace HostGw.Tests.Net;

public class IpTextTests
{
    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("10.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("1::")]
    [InlineData("fd00:10:244::")]
    [InlineData("2001:db8::1:0:0:1")]
    [InlineData("1:2:3:4:5:6:7:8")]
    [InlineData("::ffff:10.0.0.1")]
    [InlineData("FD00::ABCD")]
    [InlineData("1:2:3:4:5:6:10.0.0.1")]
    [InlineData("1:2:3:4:5:6:7::")]
    [InlineData("0001::0002")]
    public void Accepts_what_the_API_server_accepts(string text) =>
        Assert.Equal(Ip.From(IPAddress.Parse(text)), Ip.Parse(text));

    [Theory]
    [InlineData("", "nothing")]
    [InlineData("10.0.0", "three parts")]
    [InlineData("10.1", "the shorthand of inet_aton")]
    [InlineData("167772161", "one number")]
    [InlineData("0x0a.0.0.1", "hexadecimal")]
    [InlineData("10.0.0.01", "a leading zero, octal to some")]
    [InlineData("010.0.0.1", "a leading zero, octal to some")]
    [InlineData("10.0.0.256", "an octet above 255")]
    [InlineData("10.0.0.1.1", "five parts")]
    [InlineData("10.0.0.", "an empty part")]
    [InlineData("10..0.1", "an empty part")]
    [InlineData(" 10.0.0.1", "a space before")]
    [InlineData("10.0.0.1 ", "a space behind")]
    [InlineData("10.0.0.1\n", "a line end behind")]
    [InlineData("10.0.0.1\0", "a NUL behind")]
    [InlineData("+10.0.0.1", "a sign")]
    [InlineData("10.0.0.-1", "a sign")]
    [InlineData("1\u0661.0.0.1", "a digit of another script")]
    [InlineData(":", "a single colon")]
    [InlineData(":::", "three colons")]
    [InlineData("::1::", "two gaps")]
    [InlineData("1::2::3", "two gaps")]
    [InlineData("1:2:3:4:5:6:7", "seven groups")]
    [InlineData("1:2:3:4:5:6:7:8:9", "nine groups")]
    [InlineData("1::2:3:4:5:6:7:8", "a gap for nothing")]
    [InlineData(":1:2:3:4:5:6:7", "an empty first group")]
    [InlineData("1:2:3:4:5:6:7:", "an empty last group")]
    [InlineData("12345::", "a group of five digits")]
    [InlineData("::g", "no hexadecimal digit")]
    [InlineData("::-1", "a sign")]
    [InlineData("::1\0", "a NUL behind")]
    [InlineData(":: 1", "a space within")]
    [InlineData("fe80::1%eth0", "a zone")]
    [InlineData("fe80::1%1", "a zone")]
    [InlineData("[::1]", "brackets")]
    [InlineData("::1/128", "a prefix length")]
    [InlineData("10.0.0.1::", "dotted decimal before the end")]
    [InlineData("10.0.0.1::1", "dotted decimal before the end")]
    [InlineData("::10.0.0.1:1", "dotted decimal before the end")]
    [InlineData("1:2:3:4:5:6:7:10.0.0.1", "dotted decimal as a ninth group")]
    [InlineData("::ffff:10.0.0.01", "a leading zero in dotted decimal")]
    [InlineData("::ffff:10.0.1", "dotted shorthand")]
    public void Refuses(string text, string because) =>
        Assert.False(Ip.TryParse(text, out Ip ip), $"{because}: '{text}' was read as {ip}");

    [Theory]
    [InlineData("10.0.0.0/8")]
    [InlineData("10.0.0.1/32")]
    [InlineData("10.1.2.3/8")]
    [InlineData("0.0.0.0/0")]
    [InlineData("::/0")]
    [InlineData("fd00::/126")]
    [InlineData("fd00::1/128")]
    public void Prefixes_are_written_as_they_were_read(string text) =>
        Assert.Equal(text, Prefix.Parse(text).ToString());

    [Theory]
    [InlineData("10.0.0.0")]
    [InlineData("10.0.0.0/")]
    [InlineData("/24")]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.0.0.0/024")]
    [InlineData("10.0.0.0/08")]
    [InlineData("10.0.0.0/00")]
    [InlineData("10.0.0.0/+8")]
    [InlineData("10.0.0.0/-8")]
    [InlineData("10.0.0.0/ 8")]
    [InlineData("10.0.0.0/8 ")]
    [InlineData("10.0.0.0/8\0")]
    [InlineData("10.0.0.0/8/8")]
    [InlineData("10.0.0.0/255.0.0.0")]
    [InlineData("10.0.0.0/256")]
    [InlineData("10.0.0.0/4294967304")]
    [InlineData("10/8")]
    [InlineData("fd00::/129")]
    [InlineData("fd00::/999")]
    [InlineData("fe80::1%eth0/64")]
    public void No_prefix(string text) => Assert.False(Prefix.TryParse(text, out _), text);

    [Fact]
    public void A_v4_address_in_v6_dress_stays_v6_and_is_known_as_such()
    {
        Ip mapped = Ip.Parse("::ffff:10.0.0.1");
        Assert.True(mapped.IsIPv6);
        Assert.True(mapped.IsIPv4Mapped);
        Assert.False(Ip.Parse("::10.0.0.1").IsIPv4Mapped);
        Assert.False(Ip.Parse("10.0.0.1").IsIPv4Mapped);
        Assert.NotEqual(Ip.Parse("10.0.0.1"), mapped);
    }
}
