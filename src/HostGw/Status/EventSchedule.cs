using System.Security.Cryptography;
using System.Text;
using HostGw.Problems;
using k8s.Models;
using Microsoft.Extensions.Logging;

namespace HostGw.Status;

/// <summary>Decides which problem gets an Event and when: each gets one, none gets many. Passes report problems, one writer asks.</summary>
/// <param name="random">From 0 to 1.</param>
internal sealed class EventSchedule(TimeProvider time, Func<double> random, ILogger logger)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Rule, string Subject), Entry> _entries = [];
    private readonly HashSet<(string Rule, string Subject)> _leftOut = [];

    // The rate limit: each Event costs one interval, and a few may be sent ahead of it.
    private long _paidUntil;

    /// <param name="isAll">False: whether a problem that is missing in <paramref name="problems"/> has ended is not known.</param>
    public void Observe(IEnumerable<Problem> problems, bool isAll)
    {
        lock (_lock)
        {
            Dictionary<(string Rule, string Subject), Problem> current = [];
            foreach (Problem problem in problems)
                current.TryAdd(problem.Key, problem);
            if (isAll)
                EndAllBut(current);
            foreach (Problem problem in current.Values)
                See(problem);
        }
    }

    /// <summary>The Event that is due, and how often it has been sent (0: never); else null and the time until one may be.</summary>
    public (Problem? Due, int Count, TimeSpan Wait) Next()
    {
        lock (_lock)
        {
            Entry? first = _entries.Values.Where(e => e.IsActive).MinBy(e => e.DueAt);
            if (first is null)
                return (null, 0, Timeout.InfiniteTimeSpan);
            long now = time.GetTimestamp();
            long at = Math.Max(first.DueAt, _paidUntil - Ticks(EventPace.Interval * (EventPace.AtOnce - 1)));
            return at <= now ? (first.Problem, first.Count, default) : (null, 0, time.GetElapsedTime(now, at));
        }
    }

    /// <param name="count">What the Event's count is now.</param>
    public void Sent(Problem problem, int count)
    {
        lock (_lock)
        {
            long now = time.GetTimestamp();
            _paidUntil = Math.Max(_paidUntil, now) + Ticks(EventPace.Interval);
            if (!_entries.TryGetValue(problem.Key, out Entry? entry))
                return;
            entry.Count = count;
            entry.SentAt = now;
            entry.DueAt = now + Ticks(EventPace.Renewal * (1 - 0.2 * random()));
        }
    }

    private void See(Problem problem)
    {
        long now = time.GetTimestamp();
        if (!_entries.TryGetValue(problem.Key, out Entry? entry))
        {
            if (_entries.Values.Count(e => e.IsActive) >= EventPace.Most)
            {
                if (_leftOut.Add(problem.Key))
                    logger.EventLeftOut(problem.Text, $"{EventPace.Most} others have one");
                return;
            }
            _leftOut.Remove(problem.Key);
            _entries.Add(problem.Key, new(problem) { DueAt = now + Settled() });
            return;
        }
        if (!entry.IsActive)
        {
            entry.IsActive = true;
            entry.DueAt = Math.Max(now + Settled(), entry.SentAt + Ticks(EventPace.Repetition));
        }
        entry.Problem = problem;
    }

    private void EndAllBut(Dictionary<(string Rule, string Subject), Problem> current)
    {
        _leftOut.RemoveWhere(k => !current.ContainsKey(k));
        foreach (Entry entry in _entries.Values.Where(e => !current.ContainsKey(e.Problem.Key)).ToArray())
        {
            if (entry.IsActive && (entry.Count == 0 || entry.DueAt <= time.GetTimestamp()))
                logger.EventLeftOut(entry.Problem.Text, "it ended before it was due or could be sent");
            entry.IsActive = false;
            if (entry.Count == 0 || time.GetElapsedTime(entry.SentAt) > EventPace.Memory)
                _entries.Remove(entry.Problem.Key);
        }
    }

    private long Settled() => Ticks(EventPace.Settle * (1 + random()));

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);

    private sealed class Entry(Problem problem)
    {
        public Problem Problem { get; set; } = problem;

        public bool IsActive { get; set; } = true;

        public int Count { get; set; }

        public long SentAt { get; set; }

        public long DueAt { get; set; }
    }
}

/// <summary>How often Events are sent.</summary>
internal static class EventPace
{
    /// <summary>
    /// A problem that ends sooner (a node that joins has no podCIDR for a moment) gets no Event. Up to twice as long, so that not all
    /// nodes send at once.
    /// </summary>
    public static readonly TimeSpan Settle = TimeSpan.FromSeconds(10);

    /// <summary>The Event of a problem that lasts is renewed before API servers forget it (--event-ttl, 1 h).</summary>
    public static readonly TimeSpan Renewal = TimeSpan.FromMinutes(45);

    /// <summary>One that comes and goes raises its count at most this often.</summary>
    public static readonly TimeSpan Repetition = TimeSpan.FromMinutes(5);

    /// <summary>How long a problem that ended is remembered.</summary>
    public static readonly TimeSpan Memory = TimeSpan.FromHours(1);

    /// <summary>Between any two Events, after the first few.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    public const int AtOnce = 10;

    /// <summary>Problems with an Event at a time; `hostgw status` lists all.</summary>
    public const int Most = 20;
}

/// <summary>
/// An Event about this node, or about another object: one per problem, however often it comes back and however often the program is
/// started. In the core form, as kubelet's own: every kubectl shows its count and age, and its count and message may change
/// (events.k8s.io/v1 allows only series).
/// </summary>
/// <remarks>https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/</remarks>
internal sealed record NodeEvent(Problem Problem, string Node, string NodeUid)
{
    // Events about objects outside of namespaces, such as Nodes, are kept there.
    private const string OfNodes = "default";

    private const string Component = "hostgw";

    // The API server's limit for notes; kubectl shows all of it.
    private const int MaxMessage = 1024;
    private const int MaxNodeInName = 200;

    /// <summary>What it is about; null: this node's Node.</summary>
    public V1ObjectReference? Subject { get; init; }

    /// <summary>That of its subject.</summary>
    public string Namespace => Subject?.NamespaceProperty ?? OfNodes;

    /// <summary>The same for the same problem of the same Node object.</summary>
    public string Name
    {
        get
        {
            byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{NodeUid}\n{Problem.Rule}\n{Problem.Subject}"));
            string node = Node.Length <= MaxNodeInName ? Node : Node[..MaxNodeInName].TrimEnd('.', '-');
            return $"{node}.hostgw-{Convert.ToHexStringLower(hash.AsSpan(0, 8))}";
        }
    }

    /// <summary>The problem and its cure on one line, in at most 1024 bytes.</summary>
    public string Message
    {
        get
        {
            string text = Problem.Cure.Length == 0 ? Problem.Text : $"{Problem.Text}. To do: {Problem.Cure}";
            text = string.Create(text.Length, text, static (line, source) =>
            {
                for (int i = 0; i < line.Length; i++)
                    line[i] = char.IsControl(source[i]) ? ' ' : source[i];
            });
            if (Encoding.UTF8.GetByteCount(text) <= MaxMessage)
                return text;
            Encoding.UTF8.GetEncoder().Convert(text, new byte[MaxMessage - 3], flush: true, out int taken, out _, out _);
            return text[..taken] + "…";
        }
    }

    /// <summary>The whole Event, as of its first occurrence.</summary>
    public Corev1Event First(DateTimeOffset now) => Occurrence(1, now) with
    {
        Kind = Corev1Event.KubeKind,
        ApiVersion = Corev1Event.KubeApiVersion,
        Metadata = new() { Name = Name, NamespaceProperty = Namespace },
        InvolvedObject =
            Subject ?? new() { Kind = V1Node.KubeKind, ApiVersion = V1Node.KubeApiVersion, Name = Node, Uid = NodeUid },
        Type = "Warning",
        Reason = Problem.Rule,
        Source = new() { Component = Component, Host = Node },
        ReportingComponent = Component,
        ReportingInstance = Node,
        FirstTimestamp = now.UtcDateTime,
    };

    /// <summary>What a further occurrence changes.</summary>
    /// <param name="count">Null leaves it.</param>
    public Corev1Event Occurrence(int? count, DateTimeOffset now) =>
        new() { Message = Message, LastTimestamp = now.UtcDateTime, Count = count };
}
