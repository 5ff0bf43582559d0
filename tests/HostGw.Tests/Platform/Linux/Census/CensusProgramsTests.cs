using System.Runtime.Versioning;
using HostGw.Platform.Linux.Census;
using HostGw.Platform.Linux.Iptables;

namespace HostGw.Tests.Platform.Linux.Census;

[SupportedOSPlatform("linux")]
public sealed class CensusProgramsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hostgw-census").FullName;
    private readonly IptablesPrograms _legacy, _nft;
    private readonly CensusPrograms _programs;
    private readonly List<string> _unknown = [];

    public CensusProgramsTests()
    {
        // The one that hangs has long enough to be started on a slow machine.
        (_legacy, _nft) = (new(Programs(seconds: 10), IptablesFlavour.Legacy), new(Programs(seconds: 60), IptablesFlavour.Nft));
        _programs = new([_legacy, _nft]);
    }

    private string Starts => Path.Combine(_folder, "starts");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void One_that_hangs_is_started_once_and_no_other_of_its_flavour()
    {
        Script("iptables-legacy-save", "sleep 600");
        Script("ip6tables-legacy-save", "sleep 600");
        Script("iptables-nft-save", "echo \"*$2\"; echo COMMIT");
        Deadline deadline = new(TimeSpan.FromMinutes(1));

        foreach (string table in (string[])["raw", "nat", "filter", "nat"])
        {
            Assert.Null(_programs.Read(_legacy, ipv4: true, table, deadline, _unknown));
            Assert.Null(_programs.Read(_legacy, ipv4: false, table, deadline, _unknown));
        }

        Assert.Equal(["iptables-legacy-save"], File.ReadAllLines(Starts));
        Assert.Contains("iptables-legacy, IPv4: whether a rule drops", Assert.Single(_unknown), StringComparison.Ordinal);
        Assert.NotNull(_programs.Read(_nft, ipv4: true, "nat", deadline, _unknown));
    }

    [Fact]
    public void A_table_that_it_cannot_show_keeps_no_other_from_being_read()
    {
        Script("iptables-nft-save", "[ $2 = raw ] && echo '# incompatible' && exit; echo \"*$2\"; echo COMMIT");
        Assert.Null(_programs.Read(_nft, ipv4: true, "raw", new(TimeSpan.FromMinutes(1)), _unknown));
        Assert.NotNull(_programs.Read(_nft, ipv4: true, "nat", new(TimeSpan.FromMinutes(1)), _unknown));
    }

    [Fact]
    public void None_is_started_late()
    {
        Script("iptables-nft-save", "echo \"*$2\"; echo COMMIT");
        Assert.Null(_programs.Read(_nft, ipv4: true, "nat", new(TimeSpan.FromSeconds(14)), _unknown));
        Assert.False(File.Exists(Starts));
        Assert.NotNull(_programs.Read(_nft, ipv4: true, "nat", new(TimeSpan.FromSeconds(60)), []));
    }

    private HostProgram Programs(int seconds) => new([_folder], TimeSpan.FromSeconds(seconds));

    private void Script(string name, string body)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllText(path, $"#!/bin/sh\necho {name} >> {Starts}\n{body}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.UserWrite);
    }
}
