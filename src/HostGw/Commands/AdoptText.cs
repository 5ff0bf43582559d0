using HostGw.Platform;
using HostGw.Reconciliation;

namespace HostGw.Commands;

/// <summary>The part of a preview that concerns routes of others, for people.</summary>
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
            output.WriteLine($"leave      {conflict.Route.Destination}: {Problems.Obstacle(conflict)}");
        foreach (Leftover leftover in preview.Leftovers)
            output.WriteLine($"rule       {Quoted.Visible(leftover.Problem)}");
        if (adopted.Length == 0 && preview.Changes.Routes.Conflicts.Count == 0)
            output.WriteLine("No route of others stands where ours should.");
    }
}
