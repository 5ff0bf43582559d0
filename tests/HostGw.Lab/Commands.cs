using System.CommandLine;
using System.Diagnostics;
using System.Runtime.InteropServices;
using HostGw.Lab.Agents;
using HostGw.Lab.Chaos;
using HostGw.Lab.Demo;

namespace HostGw.Lab;

/// <summary>The command line of the lab.</summary>
internal static class Commands
{
    private const int NoRights = 2;
    private const string Up = "up";

    public static RootCommand Create()
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

    private static Command Chaos()
    {
        var only = new Argument<string[]>("fault") { Description = "Words of the faults to run; none: all.", Arity = ArgumentArity.ZeroOrMore };
        var seed = new Option<int?>("--seed") { Description = "What chance grows from; as printed by the run to repeat." };
        var write = new Option<string?>("--write") { Description = "Page whose table is replaced by this run's." };
        var command = new Command("chaos", "Make everything go wrong, one after the other, and say what was lost.") { only, seed, write };
        command.SetAction(async (result, _) =>
        {
            string[] words = result.GetValue(only) ?? [];
            if (!Box.IsInside)
                return Enter("chaos", [.. words, .. Given("--seed", result.GetValue(seed)), .. Given("--write", result.GetValue(write))]);
            return await ChaosRun.RunAsync(words, result.GetValue(seed) ?? Environment.TickCount, result.GetValue(write)) ? 0 : 1;
        });
        return command;

        static string[] Given(string option, object? value) => value is null ? [] : [option, $"{value}"];
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
        {
            Console.Error.WriteLine($"hostgw-lab {command} needs root, for network namespaces");
            return NoRights;
        }
        if (AgentBinary.TryFind() is null)
        {
            Console.Error.WriteLine(AgentBinary.NotFound);
            return 1;
        }
        if (command == Up)
            RunningBox.End();
        Box.Enter([command, .. arguments]);
        return 1;
    }

    private static async Task<int> DemoAsync(CancellationToken cancellationToken)
    {
        var screen = new Screen(Console.Out, colours: !Console.IsOutputRedirected);
        return await DemoRun.RunAsync(screen).WaitAsync(cancellationToken) ? 0 : 1;
    }

    private static async Task<int> UpAsync(CancellationToken cancellationToken)
    {
        long started = Stopwatch.GetTimestamp();
        await using Cluster cluster = await Cluster.CreateAsync(new());
        await cluster.StartAgentsAsync();
        ShowHowToLookInside(cluster, Stopwatch.GetElapsedTime(started));

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

    private static void ShowHowToLookInside(Cluster cluster, TimeSpan took)
    {
        var screen = new Screen(Console.Out, colours: !Console.IsOutputRedirected);
        Agent agent = cluster.Agents.First();
        screen.Title($"The cluster is up ({Screen.Time(took)}). Ctrl-C or `hostgw-lab down` removes it.");
        screen.Table(Report.Nodes(cluster));
        screen.Text();
        screen.Faint("A shell on a node (or in a pod: node1-pod1; or outside: outside):");
        screen.Text($"{Box.EnterCommand} ip netns exec {agent.Node} bash");
        screen.Faint("The API, from any of those shells:");
        screen.Text($"export KUBECONFIG={cluster.Api.Kubeconfig}; kubectl get nodes -o wide");
        screen.Faint("The agent's view, from a node's shell:");
        screen.Text($"export PATH={Path.GetDirectoryName(AgentBinary.Find())}:$PATH; hostgw status");
        screen.Text($"hostgw plan {string.Join(' ', agent.Flags)}");
        screen.Text($"hostgw doctor {string.Join(' ', agent.Flags)}");
        screen.Faint("To break something, from here or another terminal, and see whether it is named:");
        screen.Text($"{Environment.ProcessPath} break");
        screen.Faint("What an agent writes:");
        screen.Text($"tail -f /proc/{Box.Pid}/root{agent.Log.Path}");
    }

    private static int Down()
    {
        Console.WriteLine(RunningBox.End() ? "The cluster is gone." : "No cluster was up.");
        return 0;
    }
}
