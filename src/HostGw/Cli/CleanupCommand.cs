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

        foreach (string remains in RemainingForwarding.Of(state))
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

/// <summary>Forwarding stays on after cleanup: one sentence for each setting, with the command that turns it off.</summary>
internal static class RemainingForwarding
{
    public static IEnumerable<string> Of(HostState state) =>
        state.Windows is null ? OnLinux(state.Forwarding) : OnWindows(state.Interfaces);

    public static IEnumerable<string> OnLinux(ForwardingState forwarding)
    {
        if (forwarding.IPv4 == true)
            yield return Sentence("IPv4", "", "sysctl -w net.ipv4.ip_forward=0");
        if (forwarding.IPv6 == true)
            yield return Sentence("IPv6", "", "sysctl -w net.ipv6.conf.all.forwarding=0");
    }

    public static IEnumerable<string> OnWindows(IEnumerable<HostInterface> interfaces)
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
