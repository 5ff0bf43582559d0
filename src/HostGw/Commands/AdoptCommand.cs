using System.CommandLine;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Settings;

namespace HostGw.Commands;

/// <summary>Shows which routes of others the agent would take over, and which of their rules do harm; removes these when told.</summary>
internal static class AdoptCommand
{
    public static Command Create()
    {
        Option<bool> rules = new("--rules") { Description = "Remove the rules of others that would masquerade what goes from pod to pod" };
        Command command = CommandLine.Create(
            "adopt", "Show which routes made by others (flannel, or by hand) the agent would take over, and which it leaves. Without --rules it changes nothing.", UsedBy.Adopt,
            async (settings, parsed, cancellationToken) =>
            {
                using IHostNetwork host = HostPlatform.Open(settings);
                Preview preview = await Preview.TakeAsync(settings, host, cancellationToken);
                if (parsed.GetValue(rules))
                    return RemoveRules(preview, parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
                AdoptText.Write(preview, parsed.InvocationConfiguration.Output);
                return ExitCodes.Done;
            });
        command.Options.Add(rules);
        return command;
    }

    /// <exception cref="HostNetworkException">The host refused.</exception>
    public static int RemoveRules(Preview preview, TextWriter output, TextWriter error)
    {
        if (preview.Plan.Scope != PlanScope.Everything)
        {
            error.WriteLine($"No rule was looked at, for which of them do harm shows against this node's own podCIDRs: {string.Join("; ", preview.Plan.Faults)}");
            return ExitCodes.Failed;
        }
        foreach (Leftover leftover in preview.Leftovers)
        {
            leftover.Remove?.Invoke();
            output.WriteLine($"{(leftover.Remove is null ? "left" : "removed")} {Quoted.Visible(leftover.What)}");
        }
        if (preview.Leftovers.Count == 0)
            output.WriteLine("No rule of others masquerades what goes from pod to pod.");
        return ExitCodes.Done;
    }
}
