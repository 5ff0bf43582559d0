using System.Runtime.Versioning;
using HostGw.Lab.Network;
using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Lab.Tests.Platform;

/// <summary>What the kernel announces of the link hostgw0.</summary>
[SupportedOSPlatform("linux")]
public sealed class TunnelLinkWatchTests : IAsyncLifetime
{
    private static readonly Plan Plan = new()
    {
        Tunnel = new(4790, 157, [HostGw.Net.Ip.Parse("10.244.1.1"), HostGw.Net.Ip.Parse("fd00:1::1")]),
        OwnPodCidrs = [Prefix.Parse("10.244.1.0/24"), Prefix.Parse("fd00:1::/64")],
    };

    private LinuxWatched _watched = null!;

    public ValueTask InitializeAsync()
    {
        _watched = new();
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => _watched.DisposeAsync();

    [Theory]
    [InlineData("link del hostgw0", "Links")]
    [InlineData("link set hostgw0 down", "Links")]
    [InlineData("link set hostgw0 name other", "Links")]
    [InlineData("link set hostgw0 alias other", "Links")]
    [InlineData("link set hostgw0 group 7", "Links")]
    [InlineData("addr del 10.244.1.1/32 dev hostgw0", "Addresses")]
    [InlineData("-6 addr del fd00:1::1/128 dev hostgw0", "Addresses")]
    [InlineData("addr add 10.244.1.9/32 dev hostgw0", "Addresses")]
    [InlineData("vni add dev hostgw0 vni 158", "Links")]
    [InlineData("vni delete dev hostgw0 vni 157", "Links")]
    public void A_change_by_somebody_else_wakes_a_pass(string byHand, string expected)
    {
        // What is repaired and changed again is announced as it was before.
        for (int i = 0; i < 3; i++)
        {
            Pass();
            // Each interface is announced once, and the addresses as well.
            _watched.AfterUpToRule(() => { });

            WakeCauses woken = _watched.AfterUpToRule(() => ByHand(byHand));

            Assert.True(woken.HasFlag(Enum.Parse<WakeCauses>(expected)), $"{woken} at time {i}");
        }
    }

    // There is no periodic pass here: what comes back, comes back because the kernel announced that it was gone.
    [Theory]
    [InlineData("link del hostgw0")]
    [InlineData("link set hostgw0 down")]
    [InlineData("link set hostgw0 name other")]
    [InlineData("addr del 10.244.1.1/32 dev hostgw0")]
    [InlineData("-6 addr del fd00:1::1/128 dev hostgw0")]
    [InlineData("addr add 10.244.1.9/32 dev hostgw0")]
    [InlineData("vni delete dev hostgw0 vni 157")]
    public async Task What_the_kernel_announces_is_repaired_without_a_periodic_pass(string byHand)
    {
        using CancellationTokenSource end = new();
        using SemaphoreSlim woken = new(0);
        Task watch = _watched.Space.Network.Run(() => _watched.Space.Host.WatchAsync(_ => woken.Release(), end.Token));
        var passes = Task.Run(async () =>
        {
            while (true)
            {
                await woken.WaitAsync(end.Token);
                Pass();
            }
        }, CancellationToken.None);
        await Eventually.TrueAsync(() => passes.IsFaulted || IsRight(), () => "not made");
        string before = Seen();

        ByHand(byHand);
        await Eventually.TrueAsync(() => passes.IsFaulted || IsRight(), Seen);

        Assert.False(passes.IsFaulted, $"{passes.Exception}");
        Assert.Equal(before, Seen());
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.WhenAll(watch, passes));
    }

    [Fact]
    public void VNIs_of_other_links_wake_none()
    {
        Pass();
        _watched.Space.Network.Exec("ip", "link", "add", "other", "type", "vxlan", "external", "vnifilter", "dstport", "4799");
        _watched.AfterUpToRule(() => { });
        Assert.Equal(WakeCauses.None, _watched.AfterUpToRule(() => ByHand("vni add dev other vni 1-100")));
    }

    private void Pass()
    {
        HostState state = _watched.Space.Read();
        HostChanges changes = new()
        {
            Plan = Plan,
            Host = state,
            Routes = RouteChanges.None,
            Tunnel = TunnelChanges.Between(Plan, state),
            ChangesGuards = true,
            Guards = GuardPlans.Tunnel,
        };
        Assert.Empty(_watched.Space.Network.Run(() => _watched.Space.Host.Apply(changes, ApplyMode.Change)).Failures);
    }

    private bool IsRight() => Seen() is var seen && seen.StartsWith("UP 157", StringComparison.Ordinal) &&
        seen.EndsWith(" 10.244.1.1/32 fd00:1::1/128", StringComparison.Ordinal);

    // State, VNIs, addresses; empty: there is no such link.
    private string Seen()
    {
        (NetworkNamespace network, LinuxNamespace space) = (_watched.Space.Network, _watched.Space);
        if (!space.Shell("-br link").Contains("hostgw0", StringComparison.Ordinal))
            return "";
        string[] words = space.Shell("-br addr show dev hostgw0")
            .Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        string vnis = network.Exec("bridge", "vni", "show", "dev", "hostgw0").Split("hostgw0")[^1].Trim();
        return $"{(words[1] == "DOWN" ? "DOWN" : "UP")} {vnis} {string.Join(' ', words[2..])}";
    }

    private void ByHand(string command)
    {
        if (command.StartsWith("vni", StringComparison.Ordinal))
            _watched.Space.Network.Exec("bridge", command.Split(' '));
        else
            _watched.Space.Shell(command);
    }
}
