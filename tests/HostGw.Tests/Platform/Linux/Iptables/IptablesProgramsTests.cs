using System.Runtime.Versioning;
using HostGw.Platform.Linux.Iptables;
using HostGw.Tests.FakeApi;
using HostGw.Tests.Reconciliation;

namespace HostGw.Tests.Platform.Linux.Iptables;

[SupportedOSPlatform("linux")]
public sealed class IptablesProgramsTests : IDisposable
{
    private static readonly TimeSpan HangLimit = TimeSpan.FromSeconds(60);

    private readonly string _folder = Directory.CreateTempSubdirectory("hostgw-programs").FullName;
    private readonly ManualTime _time = new();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void It_sees_its_arguments_its_input_and_two_variables()
    {
        Environment.SetEnvironmentVariable("SECRET_OF_OURS", "no business of theirs");
        string path = Script("echo \"$# $1\"; cat; env | sed 's/=.*//' | sort | tr '\\n' ' '; pwd");
        IEnumerable<string> lines = Run(path, ["$(touch nothing); a b"], "*nat\nCOMMIT\n")
            .Select(l => l.Replace("_ ", "", StringComparison.Ordinal).Replace("SHLVL ", "", StringComparison.Ordinal));
        Assert.Equal(["1 $(touch nothing); a b", "*nat", "COMMIT", "LC_ALL PATH PWD /"], lines);
    }

    [Fact]
    public void Its_complaint_is_in_the_error()
    {
        string path = Script("echo out; echo 'line 2 failed' >&2; echo 'so be it' >&2; exit 3");
        IptablesException error = Assert.Throws<IptablesException>(() => Run(path, [], new string('x', 1 << 20)));
        Assert.Contains("exit code 3: line 2 failed; so be it", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_that_hangs_is_killed()
    {
        string path = Script($"echo $$ > {_folder}/new; mv {_folder}/new {_folder}/pid; exec sleep 600");
        Task<IptablesException> error = FailureAsync(() => Run(path, [], "", budgetSeconds: 1.5));
        await FakeApiTest.EventuallyAsync(() => File.Exists(Path.Combine(_folder, "pid")), "it runs");
        string pid = File.ReadAllText(Path.Combine(_folder, "pid")).Trim();
        await _time.AwaitedAsync(TimeSpan.FromSeconds(1));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Contains("did not exit within 1 s", (await error.WaitAsync(HangLimit, TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
        await FakeApiTest.EventuallyAsync(() => !Directory.Exists($"/proc/{pid}"), "it is gone");
    }

    [Fact]
    public async Task Those_that_hang_share_the_time_of_a_pass_and_others_keep_some_of_it()
    {
        HostProgram programs = Programs(12);
        programs.BeginPass();
        string hangs = Script("[ $1 = 0 ] || exec sleep 600");
        foreach ((string table, double limit) in new[] { ("1", 8), ("2", 2.7), ("3", 0.9) })
        {
            Assert.Contains($"within {limit:0.#} s", (await HangAsync(() => Run(table))).Message, StringComparison.Ordinal);
            if (table == "1")
                Run("0");
        }
        Assert.Contains("not run, because", Assert.Throws<IptablesException>(() => Run("4")).Message, StringComparison.Ordinal);

        void Run(string table) => programs.Run(hangs, [table], "", static _ => { });
    }

    [Fact]
    public async Task One_that_hung_is_not_run_again_before_a_minute_is_over()
    {
        HostProgram programs = Programs(12);
        string path = Script($"echo run >> {_folder}/runs; [ -e {_folder}/works ] || exec sleep 600");
        void Run() => programs.Run(path, ["-t", "nat"], "", static _ => { });
        string Message() => Assert.Throws<IptablesException>(Run).Message;
        int Runs() => File.Exists(Path.Combine(_folder, "runs")) ? File.ReadAllLines(Path.Combine(_folder, "runs")).Length : 0;

        string first = (await HangAsync(Run, () => Runs() == 1)).Message;
        programs.BeginPass();
        _time.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(first, Message());
        Assert.Equal(1, Runs());

        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(first, (await HangAsync(Run, () => Runs() == 2)).Message);

        File.WriteAllText(Path.Combine(_folder, "works"), "");
        _time.Advance(TimeSpan.FromSeconds(119));
        Assert.Equal(first, (await RefusalAsync(Run)).Message);
        _time.Advance(TimeSpan.FromSeconds(2));
        await FakeApiTest.EventuallyAsync(() => Runs() == 3 || Record.Exception(Run) is null, "it runs again");
        Run();
        Assert.Equal(4, Runs());
    }

    // Each time a node that joins waits.
    [Fact]
    public async Task One_that_hangs_every_time_is_run_every_ten_minutes()
    {
        HostProgram programs = Programs(12);
        string path = Script($"[ -e {_folder}/works ] || exec sleep 600");
        void Run() => programs.Run(path, [], "", static _ => { });

        foreach (int pause in (int[])[60, 120, 240, 480, 600, 600])
        {
            programs.BeginPass();
            await HangAsync(Run);
            _time.Advance(TimeSpan.FromSeconds(pause - 1));
            await RefusalAsync(Run);
            _time.Advance(TimeSpan.FromSeconds(2));
        }
        File.WriteAllText(Path.Combine(_folder, "works"), "");
        programs.BeginPass();
        await FakeApiTest.EventuallyAsync(() => Record.Exception(Run) is null, "it runs again");
        File.Delete(Path.Combine(_folder, "works"));
        await HangAsync(Run);
        _time.Advance(TimeSpan.FromSeconds(61));
        programs.BeginPass();
        await HangAsync(Run);
    }

    [Fact]
    public async Task One_that_hung_is_run_for_another_use()
    {
        HostProgram programs = Programs(6);
        string path = Script($"grep -q filter && exec sleep 600; echo run >> {_folder}/runs");
        await HangAsync(() => Change("filter"));
        Change("nat");
        Assert.Single(File.ReadAllLines(Path.Combine(_folder, "runs")));
        Assert.Contains("not run again for 60 s", Assert.Throws<IptablesException>(() => Change("filter")).Message, StringComparison.Ordinal);

        void Change(string table) => programs.Run(path, ["--noflush"], table, static _ => { }, new($"table {table}", TimeSpan.Zero));
    }

    [Fact]
    public void A_failed_change_says_of_which_table()
    {
        Script("exit 4", "iptables-nft-restore");
        IptablesPrograms programs = new(Programs(30), IptablesFlavour.Nft);
        IptablesException error = Assert.Throws<IptablesException>(() => programs.Restore(ipv4: true, "filter", ""));
        Assert.Contains("restore --noflush --wait 5 (table filter): exit code 4", error.Message, StringComparison.Ordinal);
    }

    // It waits for the lock for 5 s: killed earlier, it would be called hung.
    [Theory]
    [InlineData(15, 8.9, true)]
    [InlineData(15, 9.1, false)]
    public async Task One_that_waits_for_a_lock_has_time_for_it_or_is_not_run_in_this_pass(double budget, double spent, bool isRun)
    {
        HostProgram program = Programs(budget);
        IptablesPrograms programs = new(program, IptablesFlavour.Legacy);
        Script($"until [ -e {_folder}/free ]; do sleep 0.01; done", "iptables-legacy-restore");
        program.BeginPass();
        program.Run(Script("echo line"), [], "", _ => _time.Advance(TimeSpan.FromSeconds(spent)));

        Task<Exception?> running = Task.Run(() => Record.Exception(() => programs.Restore(ipv4: true, "nat", "")));
        if (isRun)
        {
            await _time.AwaitedAsync(TimeSpan.FromSeconds(6));
            _time.Advance(TimeSpan.FromSeconds(5.9));
            File.WriteAllText(Path.Combine(_folder, "free"), "");
            Assert.Null(await running);
            return;
        }
        Assert.Contains("not run, because", (await running)?.Message, StringComparison.Ordinal);
        Script("exit 0", "iptables-legacy-restore");
        program.BeginPass();
        programs.Restore(ipv4: true, "nat", "");
    }

    [Fact]
    public void An_endless_complaint_is_cut()
    {
        string path = Script("head -c 3000000 /dev/zero | tr '\\0' e >&2; exit 1");
        IptablesException error = Assert.Throws<IptablesException>(() => Run(path, [], ""));
        Assert.InRange(error.Message.Length, 1000, 3000);
    }

    [Fact]
    public void What_cannot_be_run_is_an_error()
    {
        string path = Path.Combine(_folder, "text");
        File.WriteAllText(path, "no program");
        Assert.Throws<IptablesException>(() => Run(path, [], ""));
    }

    [Theory]
    [InlineData("nft")]
    [InlineData("legacy")]
    public void A_missing_program_is_explained_with_the_cure(string flavour)
    {
        IptablesPrograms programs = new(Programs(30), flavour == "nft" ? IptablesFlavour.Nft : IptablesFlavour.Legacy);
        IptablesException error = Assert.Throws<IptablesException>(() => programs.Restore(ipv4: false, "nat", ""));
        Assert.Contains($"ip6tables-{flavour}-restore: install iptables", error.Message, StringComparison.Ordinal);
        Assert.Contains("or do without: nat.backend nftables or none, forwardAccept false", error.Message, StringComparison.Ordinal);
    }

    private HostProgram Programs(double budgetSeconds) => new([_folder], TimeSpan.FromSeconds(budgetSeconds), _time);

    // Until the limit, which passes as soon as it hangs.
    private async Task<IptablesException> HangAsync(Action run, Func<bool>? isStarted = null)
    {
        Task<IptablesException> failure = FailureAsync(run);
        await FakeApiTest.EventuallyAsync(IsHanging, "it hangs");
        _time.Advance(_time.Pending()[0]);
        return await failure.WaitAsync(HangLimit, TestContext.Current.CancellationToken);

        bool IsHanging()
        {
            // One that was killed ends a moment later, and is not run before.
            if (failure.IsCompleted)
                failure = FailureAsync(run);
            return _time.Pending().Length == 1 && isStarted?.Invoke() != false;
        }
    }

    // At once: it is not run.
    private static Task<IptablesException> RefusalAsync(Action run) =>
        FailureAsync(run).WaitAsync(HangLimit, TestContext.Current.CancellationToken);

    private static Task<IptablesException> FailureAsync(Action run) => Task.Run(() => Assert.Throws<IptablesException>(run));

    private List<string> Run(string path, IReadOnlyList<string> arguments, string input, double budgetSeconds = 60)
    {
        List<string> lines = [];
        Programs(budgetSeconds).Run(path, arguments, input, lines.Add);
        return lines;
    }

    private string Script(string text, string name = "script")
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllText(path, $"#!/bin/sh\n{text}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }
}
