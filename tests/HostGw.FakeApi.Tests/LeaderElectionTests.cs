using k8s;
using k8s.LeaderElection;
using k8s.LeaderElection.ResourceLock;
using k8s.Models;

namespace HostGw.FakeApi.Tests;

[Trait("Speed", "slow")]
public sealed class LeaderElectionTests : ClientTest
{
    private const string Space = "kube-system", Name = "leader";

    [Fact]
    public async Task Of_two_contenders_the_second_leads_when_the_first_has_stopped()
    {
        await using Contender first = new(NewClient(), "first"), second = new(NewClient(), "second");
        first.Start();
        await first.Leads.WaitAsync(Cancel);
        second.Start();
        Assert.Equal("first", await second.Saw.WaitAsync(Cancel));
        V1Lease held = await LeaseAsync();
        Assert.Equal(("first", 0), (held.Spec.HolderIdentity, held.Spec.LeaseTransitions));
        await RenewedAsync(held);
        Assert.False(second.Leads.IsCompleted);

        await first.StopAsync();
        V1Lease left = await LeaseAsync();
        left.Spec.LeaseDurationSeconds = 1; // the rest of a minute, during which a slow machine renews it, is over
        await Client.CoordinationV1.ReplaceNamespacedLeaseAsync(left, Name, Space, cancellationToken: Cancel);
        await second.Leads.WaitAsync(TimeSpan.FromSeconds(60), Cancel);
        V1Lease taken = await LeaseAsync();
        Assert.Equal(("second", 1, held.Uid()), (taken.Spec.HolderIdentity, taken.Spec.LeaseTransitions, taken.Uid()));
        Assert.True(taken.Spec.AcquireTime > held.Spec.RenewTime);
    }

    [Fact]
    public async Task Of_two_that_begin_at_once_one_leads()
    {
        await using Contender first = new(NewClient(), "first"), second = new(NewClient(), "second");
        first.Start();
        second.Start();
        await Task.WhenAny(first.Leads, second.Leads);
        await RenewedAsync(await LeaseAsync());
        Assert.True(first.Leads.IsCompleted ^ second.Leads.IsCompleted);
        Assert.Equal(first.Leads.IsCompleted ? "first" : "second", (await LeaseAsync()).Spec.HolderIdentity);
    }

    [Fact]
    public async Task A_leader_that_cannot_renew_stops_leading()
    {
        await using Contender leader = new(NewClient(), "first", leaseSeconds: 3);
        leader.Start();
        await leader.Leads.WaitAsync(Cancel);
        Api.Faults.Forbid(r => r.Method == "PUT");
        await leader.Stopped.WaitAsync(TimeSpan.FromSeconds(60), Cancel);
        Assert.Equal("first", (await LeaseAsync()).Spec.HolderIdentity);
    }

    private Task<V1Lease> LeaseAsync() => Client.CoordinationV1.ReadNamespacedLeaseAsync(Name, Space, cancellationToken: Cancel);

    private async Task RenewedAsync(V1Lease before)
    {
        for (int i = 0; i < 1200 && (await LeaseAsync()).Spec.RenewTime <= before.Spec.RenewTime; i++)
            await Task.Delay(50, Cancel);
        Assert.True((await LeaseAsync()).Spec.RenewTime > before.Spec.RenewTime, "the holder renews its lease");
    }

    private sealed class Contender : IAsyncDisposable
    {
        private readonly LeaderElector _elector;
        private readonly CancellationTokenSource _stop = new();
        private readonly TaskCompletionSource _leads = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource<string> _saw = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private Task _running = Task.CompletedTask;

        /// <param name="leaseSeconds">Long enough that a slow machine renews the lease before.</param>
        public Contender(IKubernetes client, string identity, int leaseSeconds = 60)
        {
            _elector = new(new LeaderElectionConfig(new LeaseLock(client, Space, Name, identity))
            {
                LeaseDuration = TimeSpan.FromSeconds(leaseSeconds),
                RenewDeadline = TimeSpan.FromSeconds(leaseSeconds * 2 / 3),
                RetryPeriod = TimeSpan.FromSeconds(0.2),
            });
            _elector.OnStartedLeading += () => _leads.TrySetResult();
            _elector.OnStoppedLeading += () => _stopped.TrySetResult();
            _elector.OnNewLeader += leader => _saw.TrySetResult(leader);
        }

        public Task Leads => _leads.Task;

        public Task Stopped => _stopped.Task;

        /// <summary>The first leader that it saw.</summary>
        public Task<string> Saw => _saw.Task;

        public void Start() => _running = Task.Run(() => _elector.RunUntilLeadershipLostAsync(_stop.Token));

        public async Task StopAsync()
        {
            await _stop.CancelAsync();
            await _running.ContinueWith(_ => { }, TaskScheduler.Default);
        }

        public async ValueTask DisposeAsync()
        {
            await StopAsync();
            _elector.Dispose();
            _stop.Dispose();
        }
    }
}
