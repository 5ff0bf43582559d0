using System.Diagnostics;
using System.Runtime.Versioning;
using HostGw.Lab;
using HostGw.Lab.Network;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Platform.Linux;
using HostGw.Platform.Linux.Iptables;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Nftables;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Lab.Tests.Platform;

/// <summary>A peer that joins is exempt before it has a route; one that leaves loses its route first. Routes wait for no program.</summary>
[SupportedOSPlatform("linux")]
public sealed class ApplyOrderTests : IDisposable
{
    // Enough that somebody who watches sees some of them installed and others not.
    private const int Many = 3000;

    private static readonly NatPlan Without = Plan("192.168.0.0/16");
    private static readonly NatPlan With = Plan("10.0.0.0/8", "192.168.0.0/16");

    private readonly LinuxNamespace _space = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("hostgw-order");

    [Fact]
    public void In_nf_tables_peers_that_join_are_exempt_before_the_first_route()
    {
        RouteChanges join = new() { Add = [.. LinuxRoutesMany.Of(_space, Many)] };

        int wrong = CountDuring(
            () => Apply(_space.Host, new() { Delete = [.. _space.Ours()] }, Without),
            () => Apply(_space.Host, join, With), (routes, _, after) => routes > 0 && !after);
        Assert.Equal(0, wrong);
    }

    [Fact]
    public void In_nf_tables_peers_that_leave_are_exempt_until_the_last_route_is_gone()
    {
        RouteChanges join = new() { Add = [.. LinuxRoutesMany.Of(_space, Many)] };

        int wrong = CountDuring(
            () => Apply(_space.Host, join, With),
            () => Apply(_space.Host, new() { Delete = [.. _space.Ours()] }, Without), (routes, before, _) => !before && routes > 0);
        Assert.Equal(0, wrong);
    }

    [Theory]
    [InlineData("iptables-nft")]
    [InlineData("iptables-legacy")]
    public void No_program_is_started_before_the_routes_are_applied(string kind)
    {
        using LinuxHost host = _space.Network.Run(() => new LinuxHost(_space.Options with
        {
            NatBackend = NatBackend.Iptables,
            NatIptables = kind == "iptables-nft" ? NatIptables.Nft : NatIptables.Legacy,
            ProgramFolders = [WrappedPrograms()],
        }));

        Apply(host, new() { Add = [.. LinuxRoutesMany.Of(_space, 3)] }, With);
        Assert.All(RoutesAtPrograms(), n => Assert.Equal(3, n));

        Apply(host, new() { Delete = [.. _space.Ours()] }, Without);
        Assert.All(RoutesAtPrograms(), n => Assert.Equal(0, n));
    }

    // With nf_tables a legacy table, which any program may have created, is searched for a chain of HostGw's.
    [Theory]
    [InlineData("nftables")]
    [InlineData("iptables-legacy")]
    public async Task A_program_of_iptables_legacy_that_hangs_delays_no_route(string kind)
    {
        _space.Network.Run(() => Command.Run("iptables-legacy", "-t", "nat", "-S"));
        string release = Path.Combine(_folder.FullName, "release");
        using LinuxHost host = _space.Network.Run(() => new LinuxHost(_space.Options with
        {
            NatBackend = kind == "nftables" ? NatBackend.Nftables : NatBackend.Iptables,
            NatIptables = NatIptables.Legacy,
            ProgramFolders = [WrappedPrograms(andThen: $"while [ ! -e {release} ]; do sleep 0.05; done")],
        }));
        RouteChanges join = new() { Add = [.. LinuxRoutesMany.Of(_space, 3)] };

        Task pass = Task.Run(() => Apply(host, join, With), TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(() => File.Exists(ProgramLog) && new FileInfo(ProgramLog).Length > 0, () => "no program was started");
        (int routes, bool hangs) = (_space.Ours().Count(), !pass.IsCompleted);
        await File.WriteAllTextAsync(release, "", TestContext.Current.CancellationToken);
        await pass;

        Assert.Equal((3, true), (routes, hangs));
        Assert.All(RoutesAtPrograms(), n => Assert.Equal(3, n));
    }

    [Fact]
    public void Programs_that_hang_delay_the_next_pass_by_the_time_of_one_and_later_ones_not_at_all()
    {
        _space.Network.Run(() => Command.Run("iptables-legacy", "-t", "nat", "-S"));
        _space.Network.Run(() => Command.Run("iptables-legacy", "-t", "filter", "-S"));
        using LinuxHost host = _space.Network.Run(() => new LinuxHost(_space.Options with
        {
            ProgramFolders = [WrappedPrograms(andThen: "exec sleep 600")],
            ProgramTime = TimeSpan.FromSeconds(3),
        }));

        Assert.InRange(Seconds(new()), 1.9, 30);
        File.Delete(ProgramLog);
        Seconds(new() { Add = [.. LinuxRoutesMany.Of(_space, 3)] });
        Assert.Equal(3, _space.Ours().Count());
        Assert.False(File.Exists(ProgramLog), "a program is run again");

        double Seconds(RouteChanges routes)
        {
            HostChanges changes = new()
            {
                Routes = routes,
                ChangesNat = true,
                Nat = With,
                ChangesForward = true,
                ForwardAccept = [Prefix.Parse("10.244.1.0/24")],
            };
            var clock = Stopwatch.StartNew();
            ApplyResult result = _space.Network.Run(() => host.Apply(changes, ApplyMode.Change));
            Assert.Contains(result.Obstacles, o => o.Contains("it did not exit within", StringComparison.Ordinal));
            return clock.Elapsed.TotalSeconds;
        }
    }

    public void Dispose()
    {
        _space.Dispose();
        _folder.Delete(recursive: true);
    }

    private static NatPlan Plan(params string[] exempt) =>
        new(NatSource.Pods, true, false, true, [Prefix.Parse("10.244.1.0/24")], [.. exempt.Select(Prefix.Parse)]);

    private void Apply(LinuxHost host, RouteChanges routes, NatPlan nat)
    {
        HostChanges changes = new() { Routes = routes, ChangesNat = true, Nat = nat };
        ApplyResult result = _space.Network.Run(() => host.Apply(changes, ApplyMode.Change));
        Assert.Empty(result.Failures.Select(f => f.Error.ToString()));
    }

    /// <summary>How many samples that somebody else takes meanwhile are wrong.</summary>
    /// <param name="isWrong">Number of routes, and whether the rule exempted the peers before and after these were counted.</param>
    private int CountDuring(Action prepare, Action change, Func<int, bool, bool, bool> isWrong)
    {
        int wrong = 0;
        bool isSeen = SpinWait.SpinUntil(
            () =>
            {
                prepare();
                (int wrongNow, int between) = CountDuring(change, isWrong);
                wrong += wrongNow;
                return between > 0;
            },
            Expect.Patience);
        Assert.True(isSeen, "nobody saw some of the routes and not others");
        return wrong;
    }

    private (int Wrong, int Between) CountDuring(Action change, Func<int, bool, bool, bool> isWrong)
    {
        int wrong = 0, between = 0;
        bool isOver = false;
        using ManualResetEventSlim began = new();
        Thread watcher = new(() => _space.Network.Run(() =>
        {
            using NetlinkSocket socket = new(NETLINK_ROUTE);
            using NftablesNat nat = new();
            byte protocol = _space.Options.RouteProtocol;
            LinuxHostReader reader = new(socket, _space.Options, new(socket, protocol), new(socket, protocol));
            while (!Volatile.Read(ref isOver))
            {
                bool before = Exempts(nat);
                int routes = reader.Read([]).Routes.Count(r => r.IsOurs);
                bool after = Exempts(nat);
                wrong += isWrong(routes, before, after) ? 1 : 0;
                between += routes is > 0 and < Many ? 1 : 0;
                began.Set();
            }
            return 0;
        }));
        watcher.Start();
        began.Wait(TestContext.Current.CancellationToken);
        change();
        Volatile.Write(ref isOver, true);
        watcher.Join();
        return (wrong, between);
    }

    private string ProgramLog => Path.Combine(_folder.FullName, "log");

    private static bool Exempts(NftablesNat nat) => NatChange.Between(With, nat.Read()).Kind == NatChangeKind.None;

    /// <summary>The programs of iptables, which first write down how many routes there are.</summary>
    /// <param name="andThen">What else they do before.</param>
    private string WrappedPrograms(string andThen = ":")
    {
        foreach (string program in (string[])["iptables-nft", "ip6tables-nft", "iptables-legacy", "ip6tables-legacy"])
        {
            foreach (string action in (string[])["save", "restore"])
            {
                string name = $"{program}-{action}", real = HostProgram.Folders.Select(f => Path.Combine(f, name)).First(File.Exists);
                string path = Path.Combine(_folder.FullName, name);
                File.WriteAllText(path, $"""
                    #!/bin/sh
                    PATH=/usr/sbin:/usr/bin:/sbin:/bin
                    ip route show proto 157 | wc -l >> {ProgramLog}
                    {andThen}
                    exec {real} "$@"

                    """);
                File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
            }
        }
        return _folder.FullName;
    }

    /// <summary>How many there were at each program since the last call; at least one.</summary>
    private int[] RoutesAtPrograms()
    {
        int[] counts = [.. File.ReadAllLines(ProgramLog).Select(int.Parse)];
        File.Delete(ProgramLog);
        Assert.NotEmpty(counts);
        return counts;
    }
}
