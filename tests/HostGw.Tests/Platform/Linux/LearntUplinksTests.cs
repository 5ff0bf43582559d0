using System.Runtime.Versioning;
using HostGw.Platform.Linux;

namespace HostGw.Tests.Platform.Linux;

[SupportedOSPlatform("linux")]
public sealed class LearntUplinksTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hostgw-uplinks").FullName;

    private string State => Path.Combine(_folder, "state");

    private string Kept => Path.Combine(State, "uplinks");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void The_next_run_of_the_agent_knows_their_names()
    {
        LearntUplinks first = new(State);
        first.Add(["eth1", "eth0"]);
        first.Save();
        LearntUplinks second = new(State);
        Assert.Equal((true, true, false), (second.Contains("eth0"), second.Contains("eth1"), second.Contains("eth2")));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Kept));
    }

    [Fact]
    public void Without_a_new_name_nothing_is_written()
    {
        LearntUplinks uplinks = new(State);
        uplinks.Save();
        Assert.False(Directory.Exists(State));
        uplinks.Add(["eth0"]);
        uplinks.Save();
        File.Delete(Kept);
        uplinks.Add(["eth0"]);
        uplinks.Save();
        Assert.False(File.Exists(Kept));
        uplinks.Add(["eth1"]);
        uplinks.Save();
        Assert.Equal(["eth0", "eth1"], File.ReadAllLines(Kept));
    }

    [Theory]
    [InlineData("\u0000\uFFFD/../..\n\n")]
    [InlineData("")]
    [InlineData(null)]
    public void A_file_that_is_none_stops_nothing(string? text)
    {
        Directory.CreateDirectory(State);
        if (text is null)
            Directory.CreateDirectory(Kept);
        else
            File.WriteAllText(Kept, text);
        LearntUplinks uplinks = new(State);
        uplinks.Add(["eth0"]);
        uplinks.Save();
        Assert.True(uplinks.Contains("eth0"));
    }

    [Fact]
    public void A_file_that_is_too_long_is_not_read()
    {
        Directory.CreateDirectory(State);
        File.WriteAllLines(Kept, Enumerable.Range(0, 1000).Select(i => $"eth{i}"));
        Assert.False(new LearntUplinks(State).Contains("eth0"));
    }

    [Fact]
    public void Without_a_directory_they_are_known_until_it_ends()
    {
        LearntUplinks uplinks = new(directory: null);
        uplinks.Add(["eth0"]);
        uplinks.Save();
        Assert.True(uplinks.Contains("eth0"));
    }
}
