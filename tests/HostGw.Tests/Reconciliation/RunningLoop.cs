using HostGw.Nodes;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Reconciliation;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Reconciliation;

/// <summary>The loop on a model host, in time that the test moves.</summary>
internal sealed class RunningLoop : IAsyncDisposable
{
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Resync = TimeSpan.FromSeconds(60);

    private readonly NodeStore _nodes = new();
    private readonly List<PassReport> _passes = [];
    private int _seen;

    /// <param name="policy">As <see cref="Given.Policy"/> reads it.</param>
    public RunningLoop(string policy = "")
    {
        WakeUp = new(Time);
        Clock = new(Time, Resync);
        Reconciler reconciler = new(Host, Given.Policy(policy), AdoptMode.Equivalent, Time);
        Loop = new(reconciler, _nodes, () => [], WakeUp, LoopTimes.WithResync(60), Time, Clock, Record);
    }

    public ManualTime Time { get; } = new();

    public PassClock Clock { get; }

    public ModelHost Host { get; } = new(Given.Host(Given.Lan));

    public WakeUp WakeUp { get; }

    public ReconcileLoop Loop { get; }

    public IReadOnlyList<PassReport> Passes
    {
        get
        {
            lock (_passes)
                return [.. _passes];
        }
    }

    public WakeCauses[] Causes => [.. Passes.Select(p => p.Causes)];

    public Task StartAsync() => Loop.StartAsync(TestContext.Current.CancellationToken);

    public Task StopAsync() => Loop.StopAsync(TestContext.Current.CancellationToken);

    public void Signal(WakeCauses cause) => WakeUp.Signal(cause);

    /// <summary>The first complete list arrives.</summary>
    public void List()
    {
        _nodes.BeginList();
        NodeDraft draft = new(NodeSelector.Everything);
        foreach (ClusterNode node in Given.Nodes(Agent.ThreeNodes))
        {
            draft.Clear();
            draft.Name.Set(node.Name);
            foreach (Prefix podCidr in node.PodCidrs)
                draft.PodCidrs.Add(podCidr.ToString());
            foreach (Ip address in node.InternalIPs)
                draft.AddAddress("InternalIP", address.ToString());
            draft.Complete();
            _nodes.AddListed(draft);
        }
        _nodes.CompleteList("42");
        Signal(WakeCauses.Nodes);
    }

    /// <summary>The first pass is done and the loop waits for news.</summary>
    public async Task StartListedAsync()
    {
        await StartAsync();
        List();
        await PassAsync();
        Time.Advance(Between);
        await IdleAsync(Resync);
    }

    /// <summary>Waits until one more pass has run and the loop pauses after it.</summary>
    public async Task PassAsync()
    {
        _seen++;
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (Passes.Count < _seen)
        {
            Assert.False(deadline.IsCancellationRequested, $"pass {_seen} does not come");
            await Task.Yield();
        }
        await Time.AwaitedAsync(Between);
    }

    /// <summary>Waits until the loop waits for news, for so long at most.</summary>
    public Task IdleAsync(TimeSpan atMost) => Time.AwaitedAsync(atMost);

    public async ValueTask DisposeAsync()
    {
        await Loop.StopAsync(CancellationToken.None);
        Loop.Dispose();
        Host.Dispose();
    }

    private void Record(PassReport report)
    {
        lock (_passes)
            _passes.Add(report);
    }
}
