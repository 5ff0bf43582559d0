using HostGw.Planning;
using HostGw.Platform;
using HostGw.Problems;
using HostGw.Reconciliation;
using Microsoft.Extensions.Logging;

namespace HostGw.Status;

/// <summary>Logs what a pass changed, and failures and problems when they come and go. A quiet cluster logs nothing.</summary>
internal sealed class PassLog(ILogger logger)
{
    private const int DetailedChanges = 10;

    private readonly SentenceChanges _failures =
        new(logger.OperationFailed, failure => logger.ProblemGone($"could not {failure}"), logger.MoreProblems);

    private readonly SentenceChanges _problems = new(logger.ProblemAppeared, logger.ProblemGone, logger.MoreProblems);

    private NatBackendChoice? _natBackend;
    private CniInUse? _cni;

    public void Write(PassReport report)
    {
        if (!report.Changed && report.Failures.Count == 0)
            logger.NothingToDo(Milliseconds(report), WakeCauseNames.Of(report.Causes));
        WriteRoutes(report);
        WriteRules(report.Result);
        foreach (PolicyRule rule in report.Changes.PolicyRules.Add)
            logger.PolicyRuleAdded(rule.Preference, $"{rule}");
        foreach (PolicyRule rule in report.Changes.PolicyRules.Delete)
            logger.PolicyRuleRemoved(rule.Preference, $"{rule}");
        foreach (Ip address in report.Changes.ProbeRoutes.Add)
            logger.ProbeAddressAdded(address);
        foreach (ProbeRoute route in report.Changes.ProbeRoutes.Delete)
            logger.ProbeRouteRemoved(route.Destination);
        if (report.Result.TunnelChange.Length > 0)
            logger.TunnelChanged(report.Result.TunnelChange);
        if (report.ForwardingChanged)
            logger.ForwardingEnabled();
        foreach ((string link, int value) in report.Changes.AcceptRa)
            logger.AcceptRaChanged(link, value);
        WriteCni(report.Result);

        // A pass that could not read the host knows nothing of the other problems.
        bool knowsAll = report.Plan is not null;
        _failures.Update(report.Failures.Select(f => $"{f.What}: {f.Error.Message}").Select(f => (f, f)), knowsAll);
        _problems.Update(ProblemCatalog.All(report).Select(p => (p.IsOfMany ? p.Rule : p.Text, p.Text)), knowsAll);
    }

    private void WriteRoutes(PassReport report)
    {
        RouteChanges routes = report.Routes;
        if (routes.IsEmpty)
            return;

        foreach (PodRoute route in routes.Add.Take(DetailedChanges))
            logger.RouteAdded(route.Destination, NextHopText.Of(route));
        foreach (RouteCorrection change in routes.Replace.Take(DetailedChanges))
        {
            string cause = Describe(change, report.Changes.Host);
            logger.RouteCorrected(change.Route.Destination, Before(change.Instead), NextHopText.Of(change.Route), cause);
        }
        foreach (HostRoute route in routes.Delete.Take(DetailedChanges))
            logger.RouteRemoved(route.Destination, NextHopText.Of(route));
        logger.RoutesChanged(
            Milliseconds(report), WakeCauseNames.Of(report.Causes), routes.Add.Count, routes.Replace.Count, routes.Delete.Count);
    }

    private void WriteRules(ApplyResult result)
    {
        if (result.NatBackend is { } backend && backend != _natBackend)
            logger.NatBackendChosen(backend.Name, backend.Why);
        _natBackend = result.NatBackend ?? _natBackend;
        if (result.NatChange.Length > 0)
            logger.NatChanged(result.NatChange);
        if (result.ForwardChange.Length > 0)
            logger.ForwardAcceptChanged(result.ForwardChange);
        if (result.GuardChange.Length > 0)
            logger.GuardsChanged(result.GuardChange);
    }

    private void WriteCni(ApplyResult result)
    {
        if (result.CniChange.Length > 0)
            logger.CniChanged(result.CniChange);
        if (result.Cni is { IsOurs: false } other && other != _cni)
            logger.CniLeftToOther(other.File);
        _cni = result.Cni ?? _cni;
    }

    private static double Milliseconds(PassReport report) => Math.Round(report.Elapsed.TotalMilliseconds, 1);

    private static string Before(HostRoute route) => route.IsUnicast ? NextHopText.Of(route) : "a blackhole or other special route";

    private static string Describe(RouteCorrection change, HostState host)
    {
        string cause = change.Cause switch
        {
            CorrectionCause.Overwritten => "another program had overwritten it",
            CorrectionCause.Adopted => "taken over from another program",
            _ => "",
        };
        string had = change.Difference(host) is { Length: > 0 } difference ? $"it had {difference}" : "";
        return (cause, had) switch
        {
            ("", "") => change.Instead.NextHop != change.Route.NextHop ? "another next hop" : "it had other attributes",
            (_, "") => cause,
            ("", _) => had,
            _ => $"{cause}; {had}",
        };
    }
}

/// <summary>Reports a sentence when it becomes true and when it no longer is, and not in between, even if its words change.</summary>
internal sealed class SentenceChanges(Action<string> appeared, Action<string> gone, Action<int> more)
{
    private const int Detailed = 20;

    private Dictionary<string, string> _true = [];

    /// <param name="isAll">False: whether a sentence that is missing in <paramref name="current"/> is true is not known.</param>
    public void Update(IEnumerable<(string Key, string Sentence)> current, bool isAll)
    {
        Dictionary<string, string> now = [];
        foreach ((string key, string sentence) in current)
            now.TryAdd(key, _true.GetValueOrDefault(key, sentence));
        if (!isAll)
            now = now.UnionBy(_true, s => s.Key).ToDictionary();
        Report(now.Where(s => !_true.ContainsKey(s.Key)), appeared);
        Report(_true.Where(s => !now.ContainsKey(s.Key)), gone);
        _true = now;
    }

    private void Report(IEnumerable<KeyValuePair<string, string>> sentences, Action<string> report)
    {
        string[] all = [.. sentences.Select(s => s.Value)];
        foreach (string sentence in all.Take(Detailed))
            report(sentence);
        if (all.Length > Detailed)
            more(all.Length - Detailed);
    }
}
