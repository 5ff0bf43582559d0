using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using HostGw.Lab.Agents;
using HostGw.Lab.Chaos;
using HostGw.Lab.Demo;

namespace HostGw.Lab;

/// <summary>The command line of the lab, which make writes. What it says to do is therefore said in commands of make.</summary>
internal static class Commands
{
    public const int Failed = 1;

    private const int Usage = 2, NoRights = 4;
    private const string Up = "up";

    /// <summary>Runs a command to its end and returns its exit code: 2 where the command line cannot be understood, 4 without root.</summary>
    public static async Task<int> RunAsync(string[] args, TextWriter error)
    {
        ParseResult parsed = Create().Parse(args);
        if (args.Length > 0 && parsed.Action is ParseErrorAction)
            return Complain(Wrong(parsed), error);
        try
        {
            int exitCode = await parsed.InvokeAsync(new() { EnableDefaultExceptionHandler = false });
            return parsed.Errors.Count > 0 ? Usage : exitCode;
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception or TimeoutException)
        {
            error.WriteLine(e.Message);
            return Failed;
        }
    }

    public static int NeedsRoot(string command)
    {
        Console.Error.WriteLine($"make {command} needs root, for network namespaces: sudo make {command}");
        return NoRights;
    }

    private static RootCommand Create()
    {
        var root = new RootCommand("A Kubernetes cluster in a box: network namespaces as nodes and pods, a real agent in each node.");
        root.Subcommands.Add(Command("demo", "Show and check everything once, then remove it.", DemoAsync));
        root.Subcommands.Add(Command(Up, "Build a cluster and keep it until Ctrl-C or `down`.", UpAsync));
        root.Subcommands.Add(Chaos());
        var down = new Command("down", "End the cluster that `up` built.");
        down.SetAction(_ => Down());
        root.Subcommands.Add(down);
        root.Subcommands.Add(BreakCommand.Create());
        root.Subcommands.Add(WithoutNfTables());
        return root;
    }

    private static string Wrong(ParseResult parsed)
    {
        if (parsed.CommandResult.Command is RootCommand root && parsed.UnmatchedTokens is [var unknown, ..])
            return $"'{unknown}' is no command of the lab: {string.Join(", ", root.Subcommands.Where(c => !c.Hidden).Select(c => c.Name))}";
        return string.Join('\n', parsed.Errors.Select(e => e.Message).Distinct());
    }

    private static int Complain(string what, TextWriter error)
    {
        error.WriteLine(what);
        return Usage;
    }

    private static Command Chaos()
    {
        var only = new Argument<string[]>("fault") { Description = "Words of the faults to run; none: all.", Arity = ArgumentArity.ZeroOrMore };
        var seed = new Option<int?>("--seed") { Description = "What chance grows from; as printed by the run to repeat.", CustomParser = ParseSeed };
        var write = new Option<string?>("--write") { Description = "Page whose table is replaced by this run's." };
        var command = new Command("chaos", "Make everything go wrong, one after the other, and say what was lost.") { only, seed, write };
        command.SetAction(async (result, _) =>
        {
            string[] words = result.GetValue(only) ?? [];
            if (ChaosRun.Complaint(words, result.GetValue(write)) is { } wrong)
                return Complain(wrong, Console.Error);
            if (!Box.IsInside)
                return Enter("chaos", [.. words, .. Given("--seed", result.GetValue(seed)), .. Given("--write", result.GetValue(write))]);
            return await ChaosRun.RunAsync(words, result.GetValue(seed) ?? Environment.TickCount, result.GetValue(write)) ? 0 : Failed;
        });
        return command;

        static string[] Given(string option, object? value) => value is null ? [] : [option, $"{value}"];
    }

    private static int? ParseSeed(ArgumentResult given)
    {
        string text = given.Tokens is [var token, ..] ? token.Value : "";
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int seed))
            return seed;
        given.AddError($"a seed is a whole number, and not '{text}'");
        return null;
    }

    // For tests.
    private static Command WithoutNfTables()
    {
        var program = new Argument<string[]>("program");
        var command = new Command(OldKernel.Command, "Run a program as on a kernel without nf_tables.") { program };
        command.Hidden = true;
        command.SetAction(result => OldKernel.Run(result.GetRequiredValue(program)));
        return command;
    }

    // Outside the box a command enters it, which starts this program again in there.
    private static Command Command(string name, string description, Func<CancellationToken, Task<int>> run)
    {
        var command = new Command(name, description);
        command.SetAction((_, cancellationToken) => Box.IsInside ? run(cancellationToken) : Task.FromResult(Enter(name)));
        return command;
    }

    private static int Enter(string command, params string[] arguments)
    {
        if (!Box.MayEnter)
            return NeedsRoot(command);
        if (AgentBinary.TryFind() is null)
        {
            Console.Error.WriteLine(AgentBinary.NotFound);
            return Failed;
        }
        if (command == Up)
            RunningBox.End();
        Box.Enter([command, .. arguments]);
        return Failed;
    }

    private static async Task<int> DemoAsync(CancellationToken cancellationToken)
    {
        var screen = new Screen(Console.Out, colours: !Console.IsOutputRedirected);
        return await DemoRun.RunAsync(screen).WaitAsync(cancellationToken) ? 0 : Failed;
    }

    private static async Task<int> UpAsync(CancellationToken cancellationToken)
    {
        long started = Stopwatch.GetTimestamp();
        await using Cluster cluster = await Cluster.CreateAsync(new());
        await cluster.StartAgentsAsync();
        var screen = new Screen(Console.Out, colours: !Console.IsOutputRedirected);
        screen.Title($"The cluster is up ({Screen.Time(Stopwatch.GetElapsedTime(started))}). Ctrl-C or `make down` removes it.");
        ShowHowToLookInside(cluster, Box.Pid, screen);

        var ended = new TaskCompletionSource();
        using PosixSignalRegistration onTerm = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using PosixSignalRegistration onInterrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        await ended.Task.WaitAsync(cancellationToken);
        return 0;

        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            ended.TrySetResult();
        }
    }

    /// <param name="box">The box's process id, as seen from outside.</param>
    public static void ShowHowToLookInside(Cluster cluster, int box, Screen screen)
    {
        screen.Table(Report.Nodes(cluster));
        screen.Text();
        screen.Faint("A shell on each node (in a pod: node1-pod1 instead; outside: outside):");
        foreach (Topology.Node node in cluster.Nodes)
            screen.Text(LookCommands.Shell(box, node.Name));
        screen.Faint("The API, from any of those shells:");
        screen.Text($"export KUBECONFIG={cluster.Api.Kubeconfig}; kubectl get nodes -o wide");
        screen.Faint("The agent's view, from the shell of any node:");
        screen.Text($"{LookCommands.FindHostgw}; hostgw status");
        screen.Text(LookCommands.Hostgw("plan", cluster.Settings.Agents));
        screen.Text(LookCommands.Hostgw("doctor", cluster.Settings.Agents));
        screen.Faint("To break something, from another terminal, and see whether it is named:");
        screen.Text("make break; make break WHAT=snat NODE=2");
        screen.Faint("What the agents write:");
        foreach (Agent agent in cluster.Agents)
            screen.Text($"tail -f /proc/{box}/root{agent.Log.Path}");
    }

    private static int Down()
    {
        if (!Box.MayEnter)
            return NeedsRoot("down");
        Console.WriteLine(RunningBox.End() ? "The cluster is gone." : "No cluster was up.");
        return 0;
    }
}
