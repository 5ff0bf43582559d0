using System.CommandLine;
using HostGw.Lab.Demo;

namespace HostGw.Lab;

/// <summary>`hostgw-lab break`: breaks a node of the cluster that `up` keeps, so that one can look whether HostGw names the cause.</summary>
internal static class BreakCommand
{
    // Of the node's own processes: its pods have namespaces of their own.
    private const string StopAgent = "for p in $(ip netns pids $0); do case $(readlink /proc/$p/exe) in */hostgw) kill $p ;; esac; done";

    public static Command Create()
    {
        var what = new Argument<string>("what") { Description = "Without it: the list of what there is.", Arity = ArgumentArity.ZeroOrOne };
        what.AcceptOnlyFromAmong([.. Breakage.All.Select(b => b.Name)]);
        var node = new Option<int>("--node") { Description = "The number of the node.", DefaultValueFactory = _ => 1 };
        var stop = new Option<bool>("--stop-agent") { Description = "Stop the node's agent first, which would repair some of it." };
        var command = new Command("break", "Break a node of the cluster that `up` built; `hostgw doctor` or `hostgw status` should name the cause.") { what, node, stop };
        command.SetAction(parsed =>
        {
            var screen = new Screen(Console.Out, colours: !Console.IsOutputRedirected);
            return parsed.GetValue(what) is { } name ? Do(Breakage.Of(name), parsed.GetValue(node), parsed.GetValue(stop), screen) : List(screen);
        });
        return command;
    }

    private static int List(Screen screen)
    {
        screen.Table([["WHAT", "", "DOCTOR SAYS", "AGENT"], .. Breakage.All.Select(b => (string[])[b.Name, b.About, b.Rule, OfAgent(b)])]);
        foreach ((string rule, string why) in Breakage.NotHere)
            screen.Faint($"Not here: {rule}: {why}.");
        return 0;
    }

    private static int Do(Breakage breakage, int node, bool stop, Screen screen)
    {
        if (RunningBox.Find() is not [var box, ..])
        {
            Console.Error.WriteLine("no cluster is up: hostgw-lab up");
            return 1;
        }
        string[] enter = Box.EnterCommandOf(box).Split(' ');
        if (stop)
            Network.Command.Run(enter[0], [.. enter[1..], "sh", "-c", StopAgent, $"node{node}"]);
        breakage.Break(node, enter);

        screen.Title($"node{node}: {breakage.About}");
        screen.Faint("Look whether the cause is named, from a shell on the node:");
        screen.Text($"{string.Join(' ', enter)} ip netns exec node{node} bash");
        screen.Text(breakage.IsRepaired && !stop
            ? "hostgw status      (the agent has put it right; with --stop-agent it stays, for `hostgw doctor`)"
            : $"{string.Join(' ', [.. breakage.Wrapper, "hostgw", "doctor", "…", .. breakage.Flags])}    (with the settings that `up` shows; it should say '{breakage.Rule}')");
        if (breakage.NeedsAgents)
            screen.Faint("Agents must run. What their probes find they have found within 15 s.");
        screen.Faint("What else `up` shows works as before; `hostgw-lab down` and `up` make a new cluster.");
        return 0;
    }

    private static string OfAgent(Breakage breakage) => breakage.IsRepaired ? "repairs it" : breakage.NeedsAgents ? "must run" : "";
}
