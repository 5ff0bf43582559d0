using HostGw.Planning;
using HostGw.Platform;
using Microsoft.Extensions.Logging;

namespace HostGw.Reconciliation;

/// <summary>Says what a pass changed, and failures and problems when they come and go. A quiet cluster logs nothing.</summary>
internal sealed class PassLog(ILogger logger)
{
    private const int DetailedChanges = 10;

    private readonly Announcements _failures = new(logger.OperationFailed, failure => logger.ProblemGone($"could not {failure}"), logger.MoreProblems);
    private readonly Announcements _problems = new(logger.ProblemAppeared, logger.ProblemGone, logger.MoreProblems);

    private NatBackendChoice? _natBackend;
    private CniStanding? _cni;

    public void Write(PassReport report)
    {
        if (!report.Changed && report.Failures.Count == 0)
            logger.NothingToDo(Milliseconds(report), WakeCauseNames.Of(report.Causes));
        WriteRoutes(report);
        if (report.NatBackend is { } backend && backend != _natBackend)
            logger.NatBackendChosen(backend.Name, backend.Why);
        _natBackend = report.NatBackend ?? _natBackend;
        if (report.NatChange.Length > 0)
            logger.NatChanged(report.NatChange);
        if (report.ForwardChange.Length > 0)
            logger.ForwardAcceptChanged(report.ForwardChange);
        if (report.ForwardingChanged)
            logger.ForwardingEnabled();
        foreach ((string link, int value) in report.AcceptRa)
            logger.AcceptRaChanged(link, value);
        if (report.CniChange.Length > 0)
            logger.CniChanged(report.CniChange);
        if (report.Cni is { IsOurs: false } other && other != _cni)
            logger.CniLeftToOther(other.File);
        _cni = report.Cni ?? _cni;

        // A pass that could not read the host knows nothing of the rest.
        bool knowsAll = report.Plan is not null;
        _failures.Update(report.Failures.Select(f => $"{f.What}: {f.Error.Message}"), knowsAll);
        _problems.Update(Problems.Of(report), knowsAll);
    }

    private void WriteRoutes(PassReport report)
    {
        RouteChanges routes = report.Routes;
        if (routes.IsEmpty)
            return;

        foreach (PodRoute route in routes.Add.Take(DetailedChanges))
            logger.RouteAdded(route.Destination, Via(route.NextHop));
        foreach (RouteCorrection change in routes.Replace.Take(DetailedChanges))
            logger.RouteCorrected(change.Route.Destination, Before(change.Instead), Via(change.Route.NextHop), Describe(change.Cause));
        foreach (HostRoute route in routes.Delete.Take(DetailedChanges))
            logger.RouteRemoved(route.Destination, Via(route.NextHop));
        logger.RoutesChanged(Milliseconds(report), WakeCauseNames.Of(report.Causes), routes.Add.Count, routes.Replace.Count, routes.Delete.Count);
    }

    private static double Milliseconds(PassReport report) => Math.Round(report.Elapsed.TotalMilliseconds, 1);

    private static string Before(HostRoute route) => route.IsUnicast ? Via(route.NextHop) : "a blackhole or other special route";

    private static string Via(Ip nextHop) => nextHop.IsNone ? "on-link" : $"via {nextHop}";

    private static string Describe(CorrectionCause cause) => cause switch
    {
        CorrectionCause.Overwritten => "somebody had overwritten it",
        CorrectionCause.Adopted => "taken over from somebody else",
        _ => "it differed",
    };
}
