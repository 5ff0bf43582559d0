using System.CommandLine;
using HostGw.Hosting;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Problems;
using HostGw.Problems.Rules;
using HostGw.Reconciliation;
using HostGw.Settings;

namespace HostGw.Cli;

/// <summary>Shows which foreign routes the agent would take over and which foreign rules do harm; --rules removes these rules.</summary>
internal static class AdoptCommand
{
    public static Command Create()
    {
        Option<bool> rules = new("--rules") { Description = "Remove foreign rules that masquerade traffic from pod to pod" };
        Command command = CommandLine.Create(
            "adopt",
            "Show which foreign routes (of flannel, or added by hand) the agent would take over, and which it leaves. " +
                "Without --rules it changes nothing.",
            UsedBy.Adopt,
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

    /// <exception cref="HostNetworkException">A rule cannot be removed.</exception>
    public static int RemoveRules(Preview preview, TextWriter output, TextWriter error)
    {
        if (preview.Plan.Scope != PlanScope.Everything)
        {
            string faults = string.Join("; ", preview.Plan.Faults);
            error.WriteLine($"No rule was checked, because this node's own podCIDRs are not known: {faults}");
            return ExitCodes.Failed;
        }
        foreach (Leftover leftover in preview.Leftovers)
        {
            leftover.Remove?.Invoke();
            output.WriteLine($"{(leftover.Remove is null ? "left" : "removed")} {Quoted.Visible(leftover.What)}");
        }
        if (preview.Leftovers.Count == 0)
            output.WriteLine("No foreign rule masquerades traffic from pod to pod.");
        return ExitCodes.Done;
    }
}

/// <summary>The foreign routes and rules of a preview, and the interfaces of other agents, as text.</summary>
internal static class AdoptText
{
    public static void Write(Preview preview, TextWriter output)
    {
        foreach (string fault in preview.Plan.Faults)
            output.WriteLine($"! {Quoted.Visible(fault)}");
        RouteCorrection[] adopted = [.. preview.Changes.Routes.Replace.Where(c => c.Cause == CorrectionCause.Adopted)];
        foreach (RouteCorrection correction in adopted)
            output.WriteLine($"take over  {PreviewText.Describe(preview, correction)}");
        foreach (RouteConflict conflict in preview.Changes.Routes.Conflicts)
            output.WriteLine($"leave      {conflict.Route.Destination}: {ProblemCatalog.Obstacle(conflict)}");
        foreach (Leftover leftover in preview.Leftovers)
            output.WriteLine($"rule       {Quoted.Visible(leftover.Problem)}");
        foreach (Problem left in OwnerRules.LeftInterfaces(preview.Changes.Host, programs: []))
            output.WriteLine($"interface  {Quoted.Visible($"{left.Text}: {left.Cure}")}");
        if (adopted.Length == 0 && preview.Changes.Routes.Conflicts.Count == 0)
            output.WriteLine("No foreign route is installed in the place of one of HostGw's.");
    }
}
