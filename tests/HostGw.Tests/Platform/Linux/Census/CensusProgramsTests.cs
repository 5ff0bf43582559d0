using System.Runtime.Versioning;
using HostGw.Platform.Linux.Census;
using HostGw.Platform.Linux.Iptables;
using HostGw.Tests.FakeApi;
using HostGw.Tests.Reconciliation;

namespace HostGw.Tests.Platform.Linux.Census;

[SupportedOSPlatform("linux")]
public sealed class CensusProgramsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hostgw-census").FullName;
    private readonly ManualTime _time = new();
    private readonly HostProgram _program;
    private readonly IptablesPrograms _legacy, _nft;
    private readonly CensusPrograms _programs;
    private readonly List<string> _unknown = [];

    public CensusProgramsTests()
    {
        _program = new([_folder], TimeSpan.FromSeconds(12), _time);
        (_legacy, _nft) = (new(_program, IptablesFlavour.Legacy), new(_program, IptablesFlavour.Nft));
        _programs = new([_legacy, _nft]);
    }

    private string Starts => Path.Combine(_folder, "starts");

    private string[] Started => File.Exists(Starts) ? File.ReadAllLines(Starts) : [];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task One_that_hangs_is_started_once_and_no_other_of_its_flavour()
    {
        Script("iptables-legacy-save", "sleep 600");
        Script("ip6tables-legacy-save", "sleep 600");
        Script("iptables-nft-save", "echo \"*$2\"; echo COMMIT");

        await HangAsync(() => Assert.Null(_programs.Read(_legacy, ipv4: true, "raw", _unknown)));
        foreach (string table in (string[])["nat", "filter", "nat"])
        {
            Assert.Null(_programs.Read(_legacy, ipv4: true, table, _unknown));
            Assert.Null(_programs.Read(_legacy, ipv4: false, table, _unknown));
        }

        Assert.Null(_programs.Read(_legacy, ipv4: false, "raw", _unknown));
        Assert.Equal(["iptables-legacy-save"], Started);
        Assert.Contains("iptables-legacy, IPv4: whether a rule drops", Assert.Single(_unknown), StringComparison.Ordinal);
        _program.BeginPass();
        Assert.NotNull(_programs.Read(_nft, ipv4: true, "nat", _unknown));
    }

    [Fact]
    public void A_table_that_it_cannot_show_keeps_no_other_from_being_read()
    {
        Script("iptables-nft-save", "[ $2 = raw ] && echo '# incompatible' && exit; echo \"*$2\"; echo COMMIT");
        Assert.Null(_programs.Read(_nft, ipv4: true, "raw", _unknown));
        Assert.NotNull(_programs.Read(_nft, ipv4: true, "nat", _unknown));
    }

    [Fact]
    public async Task None_is_started_when_the_time_of_the_pass_is_over_and_all_are_in_the_next_one()
    {
        Script("hangs", "exec sleep 600");
        Script("iptables-legacy-save", "echo \"*$2\"; echo COMMIT");
        string path = Path.Combine(_folder, "hangs");
        foreach (string argument in (string[])["1", "2", "3"])
            await HangAsync(() => Assert.Throws<IptablesException>(() => _program.Run(path, [argument], "", static _ => { })));

        Assert.Null(_programs.Read(_legacy, ipv4: true, "nat", _unknown));
        Assert.DoesNotContain("iptables-legacy-save", Started);
        _program.BeginPass();
        Assert.NotNull(_programs.Read(_legacy, ipv4: true, "nat", []));
    }

    // The limit passes as soon as the program hangs.
    private async Task HangAsync(Action run)
    {
        int before = Started.Length;
        Task running = Task.Run(run);
        await FakeApiTest.EventuallyAsync(() => _time.Pending().Length == 1 && Started.Length > before, "it hangs");
        _time.Advance(_time.Pending()[0]);
        await running.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
    }

    private void Script(string name, string body)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllText(path, $"#!/bin/sh\necho {name} >> {Starts}\n{body}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.UserWrite);
    }
}
