using System.Runtime.InteropServices;
using HostGw.FakeApi;
using HostGw.Lab.Agents;
using HostGw.Lab.Interop;
using HostGw.Lab.Network;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Chaos;

/// <summary>What may happen to a host under its agent.</summary>
internal static class HostFaults
{
    private const string Refused = "refused";
    private const int ForeignRoutes = 10_000;
    private const string OfLink = "the link's own loss";

    /// <summary>A library that gives a process a clock of its own.</summary>
    public static readonly string FakeTime =
        $"/usr/lib/{(RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "aarch64" : "x86_64")}-linux-gnu/faketime/libfaketime.so.1";

    public static IEnumerable<Fault> All =>
    [
        new("kernel refuses a single route", RefuseAsync, AllowAsync),
        new("20,000 foreign route changes", ForeignAsync, _ => Task.CompletedTask),
        new("60,000 of them while the agent is halted: its netlink buffer overruns", OverrunAsync, _ => Task.CompletedTask),
        new("somebody deletes a route again and again", FightAsync, PeaceAsync) { AgentsWork = false },
        new("link down and up", stage => Link(stage, "link set eth0 down"), LinkUpAsync) { OwnLoss = OfLink, AgentsWork = false },
        new("link renamed", RenameAsync, RenameBackAsync) { OwnLoss = OfLink },
        new("node's address changed", stage => MoveAsync(stage, Addressing.Node(80), Addressing.Node(1)), stage => MoveAsync(stage, Addressing.Node(1), Addressing.Node(80))),
        new("state directory full", FillAsync, EmptyAsync),
        new("clock jumps 25 h ahead, 50 h back, and home", JumpAsync, RestartAsync),
        new("state directory read-only", stage => Remount(stage, "ro"), stage => Remount(stage, "rw")),
    ];

    // The planner sees no such address; the kernel calls it its own, and will not have it as a next hop.
    private static async Task RefuseAsync(Stage stage)
    {
        stage.One.Network.Configure(["route add local 10.0.0.90/32 dev eth0 table local"]);
        stage.Api.Nodes.Put(new NodeSpec(Refused) { PodCidrs = ["192.168.90.0/24"], InternalIPs = ["10.0.0.90"] });
        await Eventually.TrueAsync(async () => await stage.First.MetricAsync("hostgw_routes_failed") == 1, () => "no route was refused");
    }

    private static Task AllowAsync(Stage stage)
    {
        stage.One.Network.Configure(["route delete local 10.0.0.90/32 dev eth0 table local"]);
        stage.Api.Nodes.Delete(Refused);
        return Task.CompletedTask;
    }

    private static async Task ForeignAsync(Stage stage)
    {
        ComeAndGo(stage);
        await stage.SettleAsync();
    }

    // 16 MB hold more than 20,000 messages, which an agent that runs would have read.
    private static async Task OverrunAsync(Stage stage)
    {
        double before = await stage.First.MetricAsync("hostgw_passes_total", "cause=\"overrun\"");
        stage.First.Signal(Libc.SIGSTOP);
        for (int i = 0; i < 2; i++)
            ComeAndGo(stage);
        stage.TamperWithOne();
        ComeAndGo(stage);
        stage.First.Signal(Libc.SIGCONT);
        await Eventually.TrueAsync(async () => await stage.First.MetricAsync("hostgw_passes_total", "cause=\"overrun\"") > before, () => "no overrun was noticed");
        await stage.SettleAsync();
    }

    private static void ComeAndGo(Stage stage)
    {
        string[] routes = [.. Enumerable.Range(0, ForeignRoutes).Select(i => $"172.20.{i / 256}.{i % 256}/32 dev eth0")];
        stage.One.Network.Configure(routes.Select(r => $"route add {r}"));
        stage.One.Network.Configure(routes.Select(r => $"route delete {r}"));
    }

    // Until the agent says that it holds back; then it is left its peace.
    private static async Task FightAsync(Stage stage)
    {
        await Eventually.TrueAsync(
            async () =>
            {
                // Each family by itself: the repair of one may be put off before that of the other.
                foreach (string destination in (string[])["192.168.100.0/24", "fd00:192:168:100::/64"])
                {
                    if (KernelRoute.To(stage.One.Network, IPNetwork.Parse(destination)).Count == 1)
                        stage.One.Network.Configure([$"route delete {destination}"]);
                }
                return await stage.First.MetricAsync("hostgw_routes_missing") == 2;
            },
            () => "the agent fights on without a pause");
    }

    // The short form does not wait for the repair that is put off: an agent that starts again knows of no fight.
    private static async Task PeaceAsync(Stage stage)
    {
        if (stage.IsLong)
            return;
        await stage.First.KillAsync();
        await stage.First.StartAndWaitAsync();
    }

    private static Task Link(Stage stage, params string[] lines)
    {
        stage.One.Network.Configure(lines);
        return Task.CompletedTask;
    }

    private static Task LinkUpAsync(Stage stage) => Link(stage, ["link set eth0 up", .. DefaultRoutes("eth0")]);

    private static Task RenameAsync(Stage stage) => RenameAsync(stage, "eth0", "lan9");

    private static Task RenameBackAsync(Stage stage) => RenameAsync(stage, "lan9", "eth0");

    private static async Task RenameAsync(Stage stage, string from, string to)
    {
        stage.LinkOfOne = to;
        await Link(stage, [$"link set {from} down", $"link set {from} name {to}", $"link set {to} up", .. DefaultRoutes(to)]);
        await stage.SettleAsync();
    }

    private static IEnumerable<string> DefaultRoutes(string link) => Addressing.Router.Select(router => $"route replace default via {router} dev {link}");

    // The new address first, then the news, then the old one goes: as one would do it.
    private static async Task MoveAsync(Stage stage, IReadOnlyList<IPAddress> to, IReadOnlyList<IPAddress> from)
    {
        stage.One.Network.Configure(to.Select(a => $"address add {Segment.OnLan(a)} dev eth0{(a.IsV6() ? " nodad" : "")}"));
        stage.AddressesOfOne = to;
        stage.Api.Nodes.Put(stage.Cluster.Describe(stage.One) with { InternalIPs = [.. to.Select(a => $"{a}")] });
        await stage.SettleAsync();
        stage.One.Network.Configure(from.Select(a => $"address delete {Segment.OnLan(a)} dev eth0"));
    }

    private static async Task FillAsync(Stage stage)
    {
        Command.Run("sh", "-c", $"dd if=/dev/zero of={stage.First.StateDirectory}/full bs=4k 2> /dev/null || true");
        await ToldAsync(stage);
    }

    private static Task EmptyAsync(Stage stage)
    {
        File.Delete($"{stage.First.StateDirectory}/full");
        return Task.CompletedTask;
    }

    private static async Task Remount(Stage stage, string mode)
    {
        Command.Run("mount", "-o", $"remount,{mode}", stage.First.StateDirectory);
        if (mode == "ro")
            await ToldAsync(stage);
    }

    // In the short form nobody waits for the agent to save.
    private static async Task ToldAsync(Stage stage)
    {
        if (!stage.IsLong)
            return;
        int before = Told();
        stage.Announce("saved", 102);
        await Eventually.TrueAsync(() => Told() > before, () => "the agent does not say that it cannot save");
        stage.Withdraw("saved");

        int Told() => stage.First.Log.Lines.Count(line => line.Contains("Cannot save the nodes", StringComparison.Ordinal));
    }

    // The machine's clock is everybody's: the agent of node 1 gets one of its own, which a file sets.
    private static async Task JumpAsync(Stage stage)
    {
        string clock = $"{Box.Directory}/clock";
        File.WriteAllText(clock, "+0");
        await stage.First.KillAsync();
        stage.First.Wrapper = ["env", $"LD_PRELOAD={FakeTime}", $"FAKETIME_TIMESTAMP_FILE={clock}", "FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1"];
        await stage.First.StartAndWaitAsync();
        foreach (string offset in (string[])["+90000", "-90000", "+0"])
        {
            File.WriteAllText(clock, offset);
            double before = await stage.First.MetricAsync("hostgw_last_pass_timestamp_seconds");
            stage.TamperWithOne();
            await stage.SettleAsync();
            double after = await stage.First.MetricAsync("hostgw_last_pass_timestamp_seconds");
            if (offset != "+0" && Math.Abs(after - before) < 80_000)
                throw new InvalidOperationException($"the clock of the agent did not jump: from {before} to {after}");
        }
    }

    private static async Task RestartAsync(Stage stage)
    {
        await stage.First.KillAsync();
        stage.First.Wrapper = [];
        stage.First.Start();
    }
}
