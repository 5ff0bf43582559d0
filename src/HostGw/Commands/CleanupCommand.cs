using System.CommandLine;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Platform.Linux;
using HostGw.Reconciliation;
using HostGw.Settings;

namespace HostGw.Commands;

/// <summary>Removes all that is ours from this host: the plan of a host that should have nothing, applied.</summary>
internal static class CleanupCommand
{
    public static Command Create() => CommandLine.Create(
        "cleanup", "Remove every route and NAT rule that HostGw made on this host. Refuses while an agent runs here.", UsedBy.Cleanup,
        (settings, _, _) => Task.FromResult(Run(settings)));

    private static int Run(AgentSettings settings)
    {
        if (OperatingSystem.IsLinux())
            NetAdmin.Require();
        using AgentLock? onlyAgent = OperatingSystem.IsLinux() ? AgentLock.TryAcquire() : null;
        if (OperatingSystem.IsLinux() && onlyAgent is null)
        {
            Console.Error.WriteLine($"An agent runs on this host (pid {AgentLock.HolderPid()}): it would put everything back. Stop it first.");
            return ExitCodes.Failed;
        }

        using IHostNetwork host = HostPlatform.Open(settings);
        HostState state = host.Read(apiServer: default);
        HostChanges changes = HostDiff.Between(new Plan(), state, new HashSet<RouteKey>(), AdoptMode.None);
        ApplyResult result = host.Apply(changes, state);
        Report(changes, result, state);
        return result.Failures.Count == 0 ? ExitCodes.Done : ExitCodes.Failed;
    }

    private static void Report(HostChanges changes, ApplyResult result, HostState state)
    {
        HashSet<RouteKey> failed = [.. result.Failures.Select(f => f.Route).OfType<RouteKey>()];
        foreach (HostRoute route in changes.Routes.Delete.Where(r => !failed.Contains(r.Key)))
            Console.WriteLine($"removed route {route.Destination}{(route.NextHop.IsNone ? "" : $" via {route.NextHop}")}");
        if (result.NatChange.Length > 0)
            Console.WriteLine("removed the masquerade rule");
        if (changes.Routes.IsEmpty && result.NatChange.Length == 0)
            Console.WriteLine("nothing of HostGw's stands on this host");
        foreach (HostFailure failure in result.Failures)
            Console.Error.WriteLine($"could not {failure.What}: {failure.Error.Message}");

        if (state.Forwarding.IPv4 == true)
            Console.WriteLine("left on, for others may need it:  sysctl -w net.ipv4.ip_forward=0");
        if (state.Forwarding.IPv6 == true)
            Console.WriteLine("left on, for others may need it:  sysctl -w net.ipv6.conf.all.forwarding=0");
    }
}
