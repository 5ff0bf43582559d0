using HostGw.Platform.Linux.Nftables;

namespace HostGw.Tests.Platform.Nftables;

public class NftNotificationTests
{
    // What the kernel announced, as type and payload in hex.
    [Theory]
    [InlineData("our table is new", 0x0A00, "01000000 0B000100 686F737467770000 08000200 00000000", true)]
    [InlineData("our table is gone", 0x0A02, "01000000 0B000100 686F737467770000", true)]
    [InlineData("a rule of ours is gone", 0x0A08, "01000000 0B000100 686F737467770000 0C000200 706F737472746700", true)]
    [InlineData("an element came into a set of ours", 0x0A0C, "01000000 0B000100 686F737467770000 0A000200 706F647334000000", true)]
    [InlineData("our table of one family", 0x0A00, "02000000 0B000100 686F737467770000", true)]
    [InlineData("an object in our table", 0x0A12, "01000000 0B000100 686F737467770000 06000200 63000000", true)]
    [InlineData("another table", 0x0A00, "02000000 0F000100 6B7562652D70726F787900", false)]
    [InlineData("a table whose name begins like ours", 0x0A00, "01000000 0D000100 686F7374677769732000", false)]
    [InlineData("a transaction of anybody's", 0x0A0F, "00000005 08000100 00000005 0B000200 686F737467770000", false)]
    [InlineData("connection tracking", 0x0100, "01000000 0B000100 686F737467770000", false)]
    [InlineData("a message cut short", 0x0A00, "0100", false)]
    public void Concerns(string because, int type, string payload, bool expected) =>
        Assert.True(expected == NftNotification.Concerns((ushort)type, Convert.FromHexString(payload.Replace(" ", "", StringComparison.Ordinal))), because);
}
