using System.CommandLine;
using HostGw.Platform;
using HostGw.Settings;

namespace HostGw.Commands;

/// <summary>Shows which routes of others the agent would take over. Writes nothing.</summary>
internal static class AdoptCommand
{
    public static Command Create() => CommandLine.Create(
        "adopt", "Show which routes made by others (flannel, or by hand) the agent would take over, and which it leaves. Changes nothing.", UsedBy.Adopt,
        async (settings, _, cancellationToken) =>
        {
            Preview preview = await Preview.TakeAsync(settings, cancellationToken);
            RouteCorrection[] adopted = [.. preview.Changes.Routes.Replace.Where(c => c.Cause == CorrectionCause.Adopted)];
            foreach (RouteCorrection correction in adopted)
                Console.WriteLine($"take over  {PreviewText.Describe(preview, correction)}");
            foreach (RouteConflict conflict in preview.Changes.Routes.Conflicts)
                Console.WriteLine($"leave      {Reconciliation.Problems.Describe(conflict)}");
            if (adopted.Length == 0 && preview.Changes.Routes.Conflicts.Count == 0)
                Console.WriteLine("No route of others stands where ours should.");
            return ExitCodes.Done;
        });
}
