using System.Collections.Concurrent;
using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Lab.Tests.Platform;

/// <summary>A namespace whose host network is being watched, and what was heard.</summary>
[SupportedOSPlatform("linux")]
internal sealed class LinuxWatched : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private readonly BlockingCollection<WakeCauses> _heard = [];
    private readonly ManualResetEventSlim _listening = new(initialState: true);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _watch;
    private int _sentinels;

    public LinuxWatched()
    {
        _watch = Space.Network.Run(() => Space.Host.WatchAsync(Hear, _stop.Token));
        // Each interface is announced once.
        Space.Shell("link set peer0 alias first");
        Space.Shell("link set eth0 alias first");
        UpTo(WakeCauses.Forwarding, ForwardingChanges);
    }

    public LinuxNamespace Space { get; } = new();

    /// <summary>What woke between the change and a later one that is known to wake for forwarding: the kernel keeps their order.</summary>
    public WakeCauses After(Action change)
    {
        change();
        return UpTo(WakeCauses.Forwarding, ForwardingChanges);
    }

    /// <summary>The same with a policy rule as the later one: interfaces come and go with forwarding and routes.</summary>
    public WakeCauses AfterUpToRule(Action change)
    {
        change();
        return UpTo(WakeCauses.PolicyRules, () => Space.Shell($"rule add pref {1000 + _sentinels++} lookup main"));
    }

    /// <summary>The same for nf_tables, which has a socket of its own.</summary>
    public WakeCauses AfterNftables(Action change)
    {
        change();
        return UpTo(WakeCauses.Nat, () => Nft($"add table inet hostgw; add chain inet hostgw sentinel{_sentinels++}"));
    }

    public void Nft(string commands) => Space.Network.Exec("nft", commands);

    /// <summary>Until it is disposed nothing is read from the kernel's sockets once the next announcement has come.</summary>
    public IDisposable Deafen()
    {
        _listening.Reset();
        return new Listening(_listening);
    }

    /// <summary>Waits until this was heard.</summary>
    public void Await(WakeCauses cause)
    {
        while ((Take() & cause) == 0)
        {
            // What else there is does not matter.
        }
    }

    public async ValueTask DisposeAsync()
    {
        _listening.Set();
        await _stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _watch);
        Space.Dispose();
        _stop.Dispose();
    }

    private WakeCauses UpTo(WakeCauses sentinel, Action change)
    {
        change();
        WakeCauses all = WakeCauses.None;
        while (true)
        {
            WakeCauses heard = Take();
            all |= heard & ~sentinel;
            if ((heard & sentinel) != 0)
                return all;
        }
    }

    private void ForwardingChanges() =>
        Space.Network.Sysctl("ipv4/conf/lo/forwarding", Space.Network.Sysctl("ipv4/conf/lo/forwarding") == "0" ? "1" : "0");

    private WakeCauses Take()
    {
        Assert.True(_heard.TryTake(out WakeCauses heard, Deadline), $"nothing was heard; the watch is {_watch.Status} {_watch.Exception}");
        return heard;
    }

    private void Hear(WakeCauses causes)
    {
        _listening.Wait();
        _heard.Add(causes);
    }

    private sealed class Listening(ManualResetEventSlim gate) : IDisposable
    {
        public void Dispose() => gate.Set();
    }
}

/// <summary>A test with a watched namespace of its own.</summary>
[SupportedOSPlatform("linux")]
public abstract class LinuxWatchTest : IAsyncLifetime
{
    private protected LinuxWatched Watched { get; private set; } = null!;

    private protected LinuxNamespace Space => Watched.Space;

    public ValueTask InitializeAsync()
    {
        Watched = new();
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return Watched.DisposeAsync();
    }
}
