using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using HostGw.Lab.Agents;
using HostGw.Lab.Demo;

namespace HostGw.Lab;

/// <summary>`make break`: breaks a node of the cluster that `make up` keeps, so that one can look whether HostGw names the cause.</summary>
internal static class BreakCommand
{
    // Of the node's own processes: its pods have namespaces of their own.
    private const string StopAgent = "for p in $(ip netns pids $0); do case $(readlink /proc/$p/exe) in */hostgw) kill $p ;; esac; done";

    private static readonly ClusterSettings Settings = new();

    public static Command Create()
    {
        var what = new Argument<string>("what") { Description = "Without it: the list of what there is.", Arity = ArgumentArity.ZeroOrOne };
        what.Validators.Add(CheckWhat);
        var node = new Option<int>("--node")
        {
            Description = "The node: 2, or node2.",
            DefaultValueFactory = _ => 1,
            CustomParser = ParseNode,
        };
        var stop = new Option<bool>("--stop-agent") { Description = "Stop the node's agent first, which would repair some of it." };
        var command = new Command("break", "Break a node of the cluster that `up` built; `hostgw doctor` or `hostgw status` should name the cause.") { what, node, stop };
        command.SetAction(parsed =>
        {
            var screen = new Screen(Console.Out, colours: !Console.IsOutputRedirected);
            return parsed.GetValue(what) is { } name
                ? BreakRunning(Breakage.Of(name), parsed.GetValue(node), parsed.GetValue(stop), screen)
                : List(screen);
        });
        return command;
    }

    /// <param name="box">The box's process id, as seen from outside.</param>
    /// <param name="enter">The words that enter it.</param>
    public static int Break(Breakage breakage, int node, bool stop, int box, string[] enter, Screen screen, TextWriter error)
    {
        try
        {
            if (stop)
                Network.Command.Run(enter[0], [.. enter[1..], "sh", "-c", StopAgent, $"node{node}"]);
            breakage.Break(node, enter);
        }
        catch (Network.CommandException e)
        {
            error.WriteLine($"node{node} could not be broken, perhaps because it is so already: {e.Error} " +
                "(`make down` and `make up` make a new cluster)");
            return Commands.Failed;
        }
        screen.Title($"node{node}: {breakage.About}");
        screen.Faint("Look whether the cause is named, from a shell on the node:");
        foreach (string line in HowToLook(breakage, node, box, isRepaired: breakage.IsRepaired && !stop))
            screen.Text(line);
        screen.Faint(breakage.IsRepaired && !stop
            ? "The agent has put it right. With STOP_AGENT=1 it stays, for `hostgw doctor`."
            : $"It should say '{breakage.Rule}'.{(breakage.NeedsAgents ? " Agents must run: what their probes find they have found within 15 s." : "")}");
        screen.Faint("What else `make up` shows works as before; `make down` and `make up` make a new cluster.");
        return 0;
    }

    private static int BreakRunning(Breakage breakage, int node, bool stop, Screen screen)
    {
        if (!Box.MayEnter)
            return Commands.NeedsRoot("break");
        if (RunningBox.Find() is [var box, ..])
            return Break(breakage, node, stop, box, Box.EnterCommandOf(box).Split(' '), screen, Console.Error);
        Console.Error.WriteLine("no cluster is up: `make up` builds one, in another terminal");
        return Commands.Failed;
    }

    private static IEnumerable<string> HowToLook(Breakage breakage, int node, int box, bool isRepaired)
    {
        AgentSettings settings = breakage.NeedsNodeAddress ? Settings.Agents with { NextHop = "NodeAddress" } : Settings.Agents;
        string look = isRepaired ? "hostgw status" : LookCommands.Hostgw("doctor", settings, breakage.Flags);
        return [LookCommands.Shell(box, $"node{node}"), LookCommands.FindHostgw, string.Join(' ', [.. breakage.Wrapper, look])];
    }

    private static void CheckWhat(ArgumentResult given)
    {
        if (given.Tokens is [var what, ..] && !Breakage.All.Any(b => b.Name == what.Value))
            given.AddError($"nothing that can be broken is called '{what.Value}': `make break` lists what there is");
    }

    // As 2, and as the cluster shows it.
    private static int ParseNode(ArgumentResult given)
    {
        string text = given.Tokens is [var token, ..] ? token.Value : "";
        string number = text.StartsWith("node", StringComparison.Ordinal) ? text["node".Length..] : text;
        if (int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int node) && node >= 1 && node <= Settings.Nodes)
            return node;
        string nodes = string.Join(", ", Enumerable.Range(1, Settings.Nodes).Select(n => $"node{n}"));
        given.AddError($"there is no node '{text}': the nodes are {nodes}, such as NODE=2 or NODE=node2");
        return 0;
    }

    private static int List(Screen screen)
    {
        screen.Table([["WHAT", "", "DOCTOR SAYS", "AGENT"], .. Breakage.All.Select(b => (string[])[b.Name, b.About, b.Rule, OfAgent(b)])]);
        foreach ((string rule, string why) in Breakage.NotHere)
            screen.Faint($"Not here: {rule}: {why}.");
        return 0;
    }

    private static string OfAgent(Breakage breakage) => breakage.IsRepaired ? "repairs it" : breakage.NeedsAgents ? "must run" : "";
}
