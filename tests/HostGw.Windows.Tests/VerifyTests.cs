using HostGw.Windows.Tests.OnWindows;

namespace HostGw.Windows.Tests;

/// <summary>What verify.ps1 runs on Windows, under Wine: its table says what the stand-ins answer, and nothing is left.</summary>
public sealed class VerifyTests : IDisposable
{
    private const string Loopback = "0018000001000000", Namespace = "HostGw.Windows.Tests.OnWindows";

    private static readonly string[] Network =
    [
        $"interface {Loopback} 1 up 75 - Loopback Pseudo-Interface 1", $"interface {StandInHost.Uplink} 7 up 25 - vEthernet (Ethernet)",
        $"address {Loopback} 127.0.0.1/8", $"address {StandInHost.Uplink} 10.0.0.4/24",
        $"route 0.0.0.0/0 10.0.0.254 {StandInHost.Uplink} 0 3",
    ];

    private static readonly Dictionary<string, string> NotUnderWine = new()
    {
        [Question.Denied.Id] = "not asked: Wine",
        [Question.State.Id] = "not asked: Wine",
        [Question.StateOfOthers.Id] = "not asked: Wine",
        [Question.StateLink.Id] = "not asked: Wine",
        [Question.Cni.Id] = $"not asked: {Question.Cni.Obstacle}",
        [Question.Probes.Id] = $"not asked: {Question.Probes.Obstacle}",
        [Question.Container.Id] = $"not asked: {Question.Container.Obstacle}",
    };

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("hostgw-verify");

    [Fact]
    public async Task What_wine_and_the_stand_ins_can_answer_is_yes_and_the_table_says_what_that_is_worth()
    {
        (int exitCode, string output) = await RunAsync(["-namespace", Namespace], [], Network);
        Assert.Equal(
            Rows(q => q == Question.HnsBridge
                ? "not asked: verify.ps1 ran without -L2Bridge"
                : NotUnderWine.GetValueOrDefault(q.Id) ?? "yes"),
            ReadRows());
        Assert.True(exitCode == 0, output);
        Assert.Contains("**Wine with stand-ins", await ReadAsync("table.md"), StringComparison.Ordinal);
        Assert.Contains(": proves nothing about Windows.**", await ReadAsync("table.md"), StringComparison.Ordinal);
        Assert.Equal(Network, await ReadHostAsync());
        AssertNothingIsLeft();
    }

    [Fact]
    public async Task Each_answer_that_the_stand_ins_turn_round_turns_its_row_to_no_and_no_other()
    {
        Question[] turned =
        [
            Question.Routes, Question.NextHop, Question.Errors, Question.BestRoute, Question.Rows,
            Question.WatchRoutes, Question.WatchInterfaces, Question.WatchAddresses, Question.Forwarding,
            Question.HnsAttach, Question.HnsNat,
        ];
        (int exitCode, string output) = await RunAsync(
            ["-namespace", Namespace, "-method-", $"{Namespace}.RouteTests.A_thousand", "-class-", $"{Namespace}.AgentProcessTests"],
            new() { ["STANDIN_TURNED"] = string.Join(' ', turned.Select(q => q.Id)), ["VERIFY_L2BRIDGE"] = "1" }, Network);
        Question[] leftOut =
        [
            Question.Thousand, Question.Lock, Question.LockOfOthers, Question.StopByCtrlC, Question.StopByCtrlBreak, Question.StopByShutdown,
        ];
        Assert.Equal(
            Rows(q => turned.Contains(q) ? "no"
                : leftOut.Contains(q) ? "not asked: the run ended before"
                : NotUnderWine.GetValueOrDefault(q.Id) ?? "yes"),
            ReadRows());
        Assert.True(exitCode == 1, output);
        Assert.Contains("(error 87)", Row(Question.NextHop), StringComparison.Ordinal);
        Assert.Equal(Network, await ReadHostAsync());
        AssertNothingIsLeft();
    }

    [Fact]
    public async Task What_a_killed_run_left_is_removed_at_the_next_start_and_what_others_made_stays()
    {
        string foreign = $"route 203.0.113.0/24 on-link {Loopback} 20 3", record = PathInWine("ProgramData/hostgw-verify/made.txt");
        Directory.CreateDirectory(Path.GetDirectoryName(record)!);
        await File.WriteAllLinesAsync(record,
            [
                $"route 198.51.100.0/24 on-link {Loopback}", $"address {Loopback} 192.0.2.200", $"forwarding {Loopback} False",
                $"route 2001:db8:1::/48 on-link {Loopback}",
            ],
            TestContext.Current.CancellationToken);
        (int exitCode, string output) = await RunAsync(["-method", $"{Namespace}.RouteTests.On_link*"], [],
        [
            Network[0].Replace(" - ", " 4 ", StringComparison.Ordinal), .. Network[1..], foreign,
            $"address {Loopback} 192.0.2.200/32", $"route 198.51.100.0/24 on-link {Loopback} 300 3",
        ]);
        Assert.True(exitCode == 0, output);
        Assert.Equal(Network.Append(foreign).Order(StringComparer.Ordinal), (await ReadHostAsync()).Order(StringComparer.Ordinal));
        Assert.Contains("not asked: this machine has a route to 203.0.113.0/24", Row(Question.Routes), StringComparison.Ordinal);
        AssertNothingIsLeft();
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private async Task<(int ExitCode, string Output)> RunAsync(string[] filters, Dictionary<string, string> environment, string[] network)
    {
        await File.WriteAllLinesAsync(PathTo("host.txt"), network, TestContext.Current.CancellationToken);
        environment["STANDIN_HOST"] = Wine.PathOf(PathTo("host.txt"));
        environment["VERIFY_TABLE"] = Wine.PathOf(PathTo("table.md"));
        environment["VERIFY_PROGRAM"] = Wine.PathOf(Path.Combine(Wine.Root, "artifacts/windows-node/hostgw.exe"));
        (int exitCode, string output, string error) =
            await Wine.RunAsync("verify/HostGw.Windows.Tests.exe", ["-noLogo", "-noColor", .. filters], environment);
        return (exitCode, output + error);
    }

    private Task<string> ReadAsync(string name) => File.ReadAllTextAsync(PathTo(name), TestContext.Current.CancellationToken);

    // Without the routes that come with addresses, whose protocol is 2.
    private async Task<string[]> ReadHostAsync() =>
    [
        .. (await ReadAsync("host.txt")).ReplaceLineEndings("\n").TrimEnd('\n').Split('\n')
            .Where(l => !l.StartsWith("route ", StringComparison.Ordinal) || !l.EndsWith(" 2", StringComparison.Ordinal)),
    ];

    /// <summary>"ID: ANSWER" of each row of the table.</summary>
    private IEnumerable<string> ReadRows() => Lines().Select(r => $"{r[1].Trim()}: {r[3].Trim()}");

    private string Row(Question question) => string.Join('|', Lines().Single(r => r[1].Trim() == question.Id));

    private IEnumerable<string[]> Lines() => File.ReadLines(PathTo("table.md"))
        .SkipWhile(l => !l.StartsWith("|---", StringComparison.Ordinal)).Skip(1).Select(l => l.Split('|'));

    private static IEnumerable<string> Rows(Func<Question, string> answer) => Question.All.Select(q => $"{q.Id}: {answer(q)}");

    private static void AssertNothingIsLeft() =>
        Assert.False(Path.Exists(PathInWine("ProgramData/hostgw-verify")), "its directory is left");

    private string PathTo(string name) => Path.Combine(_folder.FullName, name);

    private static string PathInWine(string path) => Path.Combine(Environment.GetEnvironmentVariable("WINEPREFIX")!, "drive_c", path);
}
