using System.CommandLine;
using HostGw.Hosting;
using HostGw.Nodes;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Platform.Cni;
using HostGw.Reconciliation;
using HostGw.Settings;

namespace HostGw.Cli;

/// <summary>Removes everything that HostGw made on this host, by applying an empty plan.</summary>
internal static class CleanupCommand
{
    public static Command Create() => CommandLine.Create(
        "cleanup",
        "Remove every route, NAT rule and CNI configuration that HostGw made on this host. Refuses while an agent runs here.",
        UsedBy.Cleanup,
        (settings, parsed, _) =>
            Task.FromResult(Run(settings, parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error)));

    /// <returns>The exit code, and whether there was a CNI configuration of HostGw.</returns>
    public static (int ExitCode, bool RemovedCni) Run(IHostNetwork host, TextWriter output, TextWriter error)
    {
        HostState state = host.Read(apiServers: []);
        HostChanges changes = HostDiff.Between(new Plan(), state, new HashSet<RouteKey>(), AdoptMode.None);
        ApplyResult result = host.Apply(changes, ApplyMode.Change);
        Report(changes, result, output, error);

        foreach (string remains in RemainingSettings.Of(state))
            output.WriteLine(remains);
        int exitCode = result is { Failures.Count: 0, CniLeft.Count: 0 } ? ExitCodes.Done
            : result.Failures.Any(f => HostPlatform.IsDenied(f.Error)) ? ExitCodes.NoRights
            : ExitCodes.Failed;
        return (exitCode, result.CniChange.Length > 0);
    }

    private static int Run(AgentSettings settings, TextWriter output, TextWriter error)
    {
        HostPlatform.RequireRights();
        using IDisposable? onlyAgent = HostPlatform.TryTakeTurn(settings, error.WriteLine);
        if (onlyAgent is null)
        {
            string holder = AgentTurn.Describe(HostPlatform.Holder(settings).Pid);
            error.WriteLine($"An agent runs on this host ({holder}): it would put everything back. Stop it first.");
            return ExitCodes.Failed;
        }
        using IHostNetwork host = HostPlatform.Open(settings);
        (int exitCode, bool removedCni) = Run(host, output, error);
        foreach (string remains in HostPlatform.ReadNeighbourThresholds(settings).SelectMany(RemainingSettings.Of))
            output.WriteLine(remains);
        bool stateRemoved = settings.StateDirectory is not { } directory
            || RemoveState(new(directory, NodeSelector.Everything), output, error);
        if (OperatingSystem.IsLinux())
            RemoveDirectories(settings.StateDirectory, removedCni, output, error);
        return stateRemoved ? exitCode : Math.Max(exitCode, ExitCodes.Failed);
    }

    private static void RemoveDirectories(string? state, bool removedCni, TextWriter output, TextWriter error)
    {
        try
        {
            foreach (string done in state is null ? [] : LeftDirectories.RemoveState(state))
                output.WriteLine(done);
            foreach (string done in LeftDirectories.RemovePodAddresses(Conflist.DataDirectory, removedCni))
                output.WriteLine(done);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            error.WriteLine(e.Message);
        }
    }

    private static bool RemoveState(SavedNodesFile file, TextWriter output, TextWriter error)
    {
        try
        {
            if (file.Remove())
                output.WriteLine($"removed {file.Path}");
            return true;
        }
        catch (SavedNodesException e)
        {
            error.WriteLine($"could not remove {file.Path}: {e.Message}");
            return false;
        }
    }

    private static void Report(HostChanges changes, ApplyResult result, TextWriter output, TextWriter error)
    {
        bool nothing = changes is { Routes.IsEmpty: true, PolicyRules.IsEmpty: true, ProbeRoutes.IsEmpty: true, Tunnel.IsEmpty: true }
            && result is { NatChange: "", ForwardChange: "", GuardChange: "", CniChange: "", CniLeft.Count: 0, Failures.Count: 0 };
        HostChanges made = changes.Without(result);
        if (result.CniChange.Length > 0)
            output.WriteLine(result.CniChange);
        foreach (HostRoute route in made.Routes.Delete)
            output.WriteLine($"removed route {route.Destination}{(route.NextHop.IsNone ? "" : $" {NextHopText.Of(route)}")}");
        foreach (PolicyRule rule in made.PolicyRules.Delete)
            output.WriteLine($"removed policy rule {rule.Preference}: {rule}");
        foreach (ProbeRoute route in made.ProbeRoutes.Delete)
            output.WriteLine($"removed local route {route.Destination} of a probe address");
        foreach (HostInterface stray in made.Tunnel.Strays)
            output.WriteLine($"removed the link {stray.Name}");
        if (made.Tunnel.Delete is { } tunnel)
            output.WriteLine($"removed the link {tunnel.Name}");
        if (result.NatChange.Length > 0 && result.Failures.All(f => f.Part != HostPart.Nat))
            output.WriteLine("removed the masquerade rule");
        if (result.ForwardChange.Length > 0)
            output.WriteLine("removed the rules that accepted pods' packets in chain FORWARD");
        if (result.GuardChange.Length > 0 && result.Failures.All(f => f.Part != HostPart.Guards))
            output.WriteLine("removed the guards of probes and tunnel (nftables table hostgw-guard)");
        if (nothing)
            output.WriteLine("nothing of HostGw's is installed on this host");
        foreach (string file in result.CniLeft)
            error.WriteLine($"could not remove {file}, which is mounted read-only; on the host: rm {file}");
        foreach (HostFailure failure in result.Failures)
            error.WriteLine($"could not {failure.What}: {failure.Error.Message}");
    }
}

/// <summary>Settings of the host stay after cleanup: one sentence for each, with the command that sets it back.</summary>
internal static class RemainingSettings
{
    public static IEnumerable<string> Of(HostState state) =>
        state.Windows is null ? [.. OnLinux(state.Forwarding), .. AcceptRa(state)] : OnWindows(state.Interfaces);

    /// <summary>None where they are the kernel's defaults.</summary>
    public static IEnumerable<string> Of(NeighbourThresholds limits)
    {
        if (limits == NeighbourThresholds.Default(limits.Family))
            yield break;
        string[] defaults = [.. NeighbourThresholds.Default(limits.Family).Settings];
        yield return $"the limits of the {limits.Family} neighbour table stay ({limits.First}, {limits.Second}, {limits.Third}), " +
            $"for others may need them; the kernel's defaults: sysctl -w {string.Join(' ', defaults)}";
    }

    private static IEnumerable<string> OnLinux(ForwardingState forwarding)
    {
        if (forwarding.IPv4 == true)
            yield return Sentence("IPv4", "", "sysctl -w net.ipv4.ip_forward=0");
        if (forwarding.IPv6 == true)
            yield return Sentence("IPv6", "", "sysctl -w net.ipv6.conf.all.forwarding=0");
    }

    // The kernel's default is 1: an uplink was set to 2, an interface of pods to 0.
    private static IEnumerable<string> AcceptRa(HostState state)
    {
        if (state.Forwarding.IPv6 is null)
            yield break;
        HostInterface[] links = [.. state.Interfaces.Where(i => i is { IsLoopback: false, IsTunnel: false })];
        HostInterface[] uplinks = [.. links.Where(i => i.AcceptRa == 2)];
        if (uplinks.Length > 0)
            yield return Sentence(2, uplinks, "for a host that forwards IPv6 else loses the default route it has learnt there");
        HostInterface[] pods = [.. links.Where(i => i.AcceptRa == 0 && IsOfPods(i, state))];
        if (pods.Length > 0)
            yield return Sentence(0, pods, "so that no pod becomes this host's default gateway");
    }

    // Which podCIDR was this node's is known from the probe address: its first.
    private static bool IsOfPods(HostInterface link, HostState state) => link.IsPeerElsewhere ||
        state.Addresses.Any(a => a.Interface == link.Index && state.ProbeRoutes.Any(r => a.Connected.Contains(r.Destination.Address)));

    private static string Sentence(int value, HostInterface[] links, string reason) =>
        $"accept_ra={value} of {string.Join(", ", links.Select(l => l.Name))} stays, {reason}; " +
        $"the kernel's default: sysctl -w {string.Join(' ', links.Select(l => $"net.ipv6.conf.{SysctlName.Of(l.Name)}.accept_ra=1"))}";

    private static IEnumerable<string> OnWindows(IEnumerable<HostInterface> interfaces)
    {
        foreach (HostInterface link in interfaces.Where(i => !i.IsLoopback))
        {
            if (link.ForwardsIPv4)
                yield return OnWindows("IPv4", link.Name);
            if (link.ForwardsIPv6)
                yield return OnWindows("IPv6", link.Name);
        }
    }

    private static string OnWindows(string family, string name) => Sentence(
        family, $" of {name}",
        $"Set-NetIPInterface -InterfaceAlias {PowerShell.Quote(name)} " +
        $"-AddressFamily {family} -Forwarding Disabled");

    private static string Sentence(string family, string where, string command) =>
        $"{family} forwarding{where} stays on, for others may need it; off: {command}";
}

/// <summary>
/// Removes the directories of HostGw and of its CNI configuration where they are empty; else one sentence says why they stay.
/// </summary>
internal static class LeftDirectories
{
    /// <returns>One sentence if it was there.</returns>
    public static IEnumerable<string> RemoveState(string path)
    {
        if (!Directory.Exists(path))
            yield break;
        File.Delete(Path.Combine(path, OwnFiles.Uplinks));
        File.Delete(Path.Combine(path, OwnFiles.Uplinks + OwnFiles.NewUplinks));
        yield return Remove(path);
    }

    /// <summary>Where the plugin host-local records the addresses of pods that still run, which it needs when they end.</summary>
    /// <param name="removedCni">HostGw's CNI configuration was there until now.</param>
    public static IEnumerable<string> RemovePodAddresses(string path, bool removedCni)
    {
        string network = Path.Combine(path, Conflist.Network);
        if (!Directory.Exists(network))
        {
            if (removedCni)
                yield return $"{path} on the host, where addresses of pods are recorded, stays until it is rebooted";
            yield break;
        }
        int pods = Directory.EnumerateFiles(network).Count(f => IPAddress.TryParse(Path.GetFileName(f), out _));
        if (pods > 0)
        {
            yield return $"{path} stays until the host is rebooted: pods that still run have {pods} of the addresses recorded there";
            yield break;
        }
        // Without pods only the plugin's lock and its last addresses are left.
        foreach (string file in Directory.EnumerateFiles(network))
            File.Delete(file);
        Directory.Delete(network);
        yield return Remove(path);
    }

    private static string Remove(string path)
    {
        if (Directory.EnumerateFileSystemEntries(path).Select(e => Path.GetFileName(e)).FirstOrDefault() is { } other)
            return $"{path} stays, for it holds {other}";
        try
        {
            Directory.Delete(path);
            return $"removed {path}";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"{path} stays, empty (in a pod it is mounted): rmdir {path} on the host removes it";
        }
    }
}
