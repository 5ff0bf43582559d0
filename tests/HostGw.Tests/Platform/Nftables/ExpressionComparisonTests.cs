using HostGw.Platform.Linux.Nftables;

namespace HostGw.Tests.Platform.Nftables;

public class ExpressionComparisonTests
{
    // ip daddr != @exempt4 masquerade: payload, lookup, masq as we write them.
    private const string Payload = "34000180 0C000100 7061796C6F616400 24000280 08000100 00000001 08000200 00000001 08000300 00000010 08000400 00000004";
    private const string Lookup = "30000180 0B000100 6C6F6F6B75700000 20000280 0C000100 6578656D70743400 08000200 00000001 08000500 00000001";
    private const string Compare = "29000180 08000100 636D7000 1D000280 08000100 00000001 08000200 00000000 09000380 05000100 02000000";
    private const string Masq = "14000180 09000100 6D61737100000000 04000280";

    public static TheoryData<string, string[], string[], bool> Cases => new()
    {
        { "the very same bytes", [Payload, Lookup, Compare, Masq], [Payload, Lookup, Compare, Masq], true },
        { "Linux 6.18 sets no nested flag and counts the padding", [Compare],
            ["2C000100 08000100 636D7000 20000200 08000100 00000001 08000200 00000000 0C000300 05000100 02000000"], true },
        { "attributes in another order", [Lookup],
            ["30000180 20000280 08000500 00000001 0C000100 6578656D70743400 08000200 00000001 0B000100 6C6F6F6B75700000"], true },
        { "an attribute of zeros that we do not write", [Payload],
            ["3C000180 0C000100 7061796C6F616400 2C000280 08000100 00000001 08000200 00000001 08000300 00000010 08000400 00000004 08000600 00000000"], true },
        { "zeros left out that we do write", [Compare],
            ["21000180 08000100 636D7000 15000280 08000100 00000001 09000380 05000100 02000000"], true },
        { "an attribute of a later kernel", [Masq], ["1C000180 09000100 6D61737100000000 0C000280 08000900 00000001"], true },
        { "a flag that we do not set", [Masq], ["1C000180 09000100 6D61737100000000 0C000280 08000100 00000010"], false },
        { "another value", [Compare],
            ["29000180 08000100 636D7000 1D000280 08000100 00000001 08000200 00000000 09000380 05000100 0A000000"], false },
        { "another operation", [Compare],
            ["29000180 08000100 636D7000 1D000280 08000100 00000001 08000200 00000001 09000380 05000100 02000000"], false },
        { "a value of zero of another length", [Compare],
            ["29000180 08000100 636D7000 1D000280 08000100 00000001 08000200 00000000 09000380 06000100 02000000"], false },
        { "another set", [Lookup],
            ["30000180 0B000100 6C6F6F6B75700000 20000280 0C000100 6578656D70743600 08000200 00000001 08000500 00000001"], false },
        { "one expression less", [Payload, Lookup, Masq], [Payload, Masq], false },
        { "one expression more", [Payload, Masq], [Payload, Lookup, Masq], false },
        { "one more at the end", [Payload], [Payload, Masq], false },
        { "another expression", [Masq], ["14000180 09000100 736E617400000000 04000280"], false },
        { "nothing", [Masq], [], false },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Same(string because, string[] ours, string[] theirs, bool expected) =>
        Assert.True(expected == ExpressionComparison.Same(Bytes(ours), Bytes(theirs)), because);

    private static byte[] Bytes(string[] expressions)
    {
        List<byte> bytes = [];
        foreach (string expression in expressions)
        {
            bytes.AddRange(Convert.FromHexString(expression.Replace(" ", "", StringComparison.Ordinal)));
            while (bytes.Count % 4 != 0)
                bytes.Add(0);
        }
        return [.. bytes];
    }
}
