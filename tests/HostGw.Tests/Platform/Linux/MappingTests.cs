using HostGw.Platform.Linux;

namespace HostGw.Tests.Platform.Linux;

public sealed class MappingTests
{
    [Fact]
    public void Code_of_a_file_holds_nothing_that_the_file_does_not()
    {
        Mapping mapping = Assert.Single(Read("7f0c5d000000-7f0c5d1b2000 r-xp 00028000 fe:01 4325                       /usr/lib/lib c.so"));

        Assert.Equal(0x7f0c5d000000, (long)mapping.Start);
        Assert.Equal(0x1b2000, (long)mapping.Length);
    }

    [Theory]
    [InlineData("7f0c5d000000-7f0c5d1b2000 rw-p 00028000 fe:01 4325 /usr/lib/libc.so")]
    [InlineData("7f0c5d000000-7f0c5d1b2000 ---p 00028000 fe:01 4325 /usr/lib/libc.so")]
    [InlineData("7f0c5d000000-7f0c5d1b2000 r-xp 00000000 00:00 0 [vdso]")]
    [InlineData("7f0c5d000000-7f0c5d1b2000 r--p 00000000 00:00 0")]
    [InlineData("Nonsense: of a later kernel")]
    [InlineData("")]
    public void Nothing_else_may_be_unmapped(string line) => Assert.Empty(Read(line));

    [Theory]
    [InlineData("Anonymous:             4 kB")]
    [InlineData("Swap:                  8 kB")]
    public void Neither_may_a_file_of_which_a_page_was_written(string page) =>
        Assert.Empty(Read("7f0c5d000000-7f0c5d1b2000 r--p 00028000 fe:01 4325 /usr/lib/libc.so", page));

    [Fact]
    public void One_mapping_says_nothing_of_the_next()
    {
        Mapping mapping = Assert.Single(Read(
            "1000-2000 r--p 00028000 fe:01 4325 /usr/lib/libc.so", "Anonymous:             4 kB",
            "2000-4000 r--p 00028000 fe:01 4325 /usr/lib/libc.so", "Anonymous:             0 kB", "AnonHugePages: 4 kB"));

        Assert.Equal(0x2000, (long)mapping.Start);
    }

    private static List<Mapping> Read(params string[] lines) => [.. Mapping.Read(lines)];
}
