using HostGw.Planning;
using HostGw.Platform;
using Microsoft.Extensions.Logging;

namespace HostGw.Reconciliation;

/// <summary>Says what a pass changed, and problems when they come and go. A quiet cluster logs nothing.</summary>
internal sealed class PassLog(ILogger logger)
{
    private const int DetailedChanges = 10;
    private const int DetailedProblems = 20;

    private HashSet<string> _problems = [];
    private HashSet<string> _failures = [];

    public void Write(PassReport report)
    {
        double milliseconds = Math.Round(report.Elapsed.TotalMilliseconds, 1);
        if (!report.Changed)
            logger.NothingToDo(milliseconds, report.Causes.ToString());
        WriteRoutes(report, milliseconds);
        if (report.NatChange.Length > 0)
            logger.NatChanged(report.NatChange);
        if (report.ForwardingChanged)
            logger.ForwardingEnabled();
        WriteFailures(report.Failures);
        WriteProblems([.. Problems.Of(report)]);
    }

    private void WriteRoutes(PassReport report, double milliseconds)
    {
        RouteChanges routes = report.Routes;
        if (routes.IsEmpty)
            return;

        foreach (PodRoute route in routes.Add.Take(DetailedChanges))
            logger.RouteAdded(route.Destination, route.NextHop);
        foreach (RouteCorrection change in routes.Replace.Take(DetailedChanges))
            logger.RouteCorrected(change.Route.Destination, change.Instead.NextHop, change.Route.NextHop, change.Cause.ToString());
        foreach (HostRoute route in routes.Delete.Take(DetailedChanges))
            logger.RouteRemoved(route.Destination, route.NextHop);
        logger.RoutesChanged(milliseconds, report.Causes.ToString(), routes.Add.Count, routes.Replace.Count, routes.Delete.Count);
    }

    // A failure that repeats is said once.
    private void WriteFailures(IReadOnlyList<HostFailure> failures)
    {
        HashSet<string> current = [];
        foreach (HostFailure failure in failures)
        {
            if (current.Add($"{failure.What}: {failure.Error.Message}") && !_failures.Contains($"{failure.What}: {failure.Error.Message}") &&
                current.Count <= DetailedProblems)
                logger.OperationFailed(failure.What, failure.Error.Message);
        }
        _failures = current;
    }

    private void WriteProblems(HashSet<string> current)
    {
        string[] appeared = [.. current.Except(_problems)];
        foreach (string problem in appeared.Take(DetailedProblems))
            logger.ProblemAppeared(problem);
        if (appeared.Length > DetailedProblems)
            logger.MoreProblems(appeared.Length - DetailedProblems);
        foreach (string problem in _problems.Except(current).Take(DetailedProblems))
            logger.ProblemGone(problem);
        _problems = current;
    }
}
