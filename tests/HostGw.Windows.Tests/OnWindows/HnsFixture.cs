using System.Diagnostics;
using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Platform.Windows;
using HostGw.Platform.Windows.Hns;

namespace HostGw.Windows.Tests.OnWindows;

/// <summary>One network for all questions about HNS, made for the first that needs it and removed after the last.</summary>
public sealed class HnsFixture : IDisposable
{
    /// <summary>The file that records that it was made.</summary>
    internal const string Record = "made-in-hns.txt";

    // Without -L2Bridge: types that touch no interface of this machine.
    private static readonly string[] HarmlessTypes = ["Private", "Internal"];
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [SupportedOSPlatform("windows")]
    public HnsFixture()
    {
        Network = new(Create);
        HostEndpoint = new(CreateHostEndpoint);
    }

    internal static Prefix PodCidr { get; } = Prefix.Parse("198.51.100.0/24");

    [SupportedOSPlatform("windows")]
    internal Lazy<HnsNetwork> Network { get; }

    [SupportedOSPlatform("windows")]
    internal Lazy<HnsEndpoint> HostEndpoint { get; }

    /// <summary>How the bridged interface came back.</summary>
    internal string Moved { get; private set; } = "";

    public void Dispose()
    {
        if (OperatingSystem.IsWindows())
            new Made(Record).Remove();
    }

    [SupportedOSPlatform("windows")]
    private HnsNetwork Create()
    {
        TestObjects.RequireHns();
        new Made(Record).WillMakeHnsObjects();
        return Machine.MayBridge ? Bridge() : CreateHarmless();
    }

    [SupportedOSPlatform("windows")]
    private HnsNetwork Bridge()
    {
        HostInterface uplink = Machine.Uplink().Interface;
        Ip address = Machine.Read().Addresses.First(a => a.Interface == uplink.Index && a.Address.IsIPv4).Address;
        long start = Stopwatch.GetTimestamp();
        using Changes changes = new();
        HnsClient.CreateNetwork(HnsDocuments.Network(Machine.Name, PodCidr, PodNetwork.Adapter(uplink.Name)));
        TimeSpan created = Stopwatch.GetElapsedTime(start);
        HostInterface? holder = null;
        changes.Await(Patience, $"{address} is on no interface", () => (holder = HolderOf(address)) is not null);
        Moved = $"{address} of {uplink.Name} is on {holder!.Name}: HNS answered after {created.TotalMilliseconds:F0} ms, " +
            $"the address was back after {Stopwatch.GetElapsedTime(start).TotalMilliseconds:F0} ms";
        return Find();
    }

    [SupportedOSPlatform("windows")]
    private static HostInterface? HolderOf(Ip address)
    {
        HostState state = Machine.Read();
        HostAddress held = state.Addresses.FirstOrDefault(a => a.Address == address);
        return held == default || state.Interface(held.Interface) is not { IsUp: true } link ? null : link;
    }

    [SupportedOSPlatform("windows")]
    private static HnsNetwork CreateHarmless()
    {
        List<string> refusals = [];
        foreach (string type in HarmlessTypes)
        {
            try
            {
                string document = HnsDocuments.Network(Machine.Name, PodCidr, "");
                HnsClient.CreateNetwork(document.Replace("L2Bridge", type, StringComparison.Ordinal));
                return Find();
            }
            catch (WindowsException e)
            {
                refusals.Add($"as {type}: {e.Message}");
            }
        }
        throw new InvalidOperationException(string.Join("; ", refusals));
    }

    [SupportedOSPlatform("windows")]
    private static HnsNetwork Find() => HnsClient.Networks().Single(n => n.Name == Machine.Name);

    [SupportedOSPlatform("windows")]
    private HnsEndpoint CreateHostEndpoint()
    {
        HnsClient.CreateEndpoint(Network.Value.Id, HnsDocuments.HostEndpoint(Machine.Name, Network.Value.Id, PodCidr));
        return HnsClient.Endpoints().Single(e => e.Network == Network.Value.Id && e.Name == Machine.Name);
    }
}

/// <summary>Waits for a state of this machine's network, which is read again at every change that Windows announces.</summary>
[SupportedOSPlatform("windows")]
internal sealed class Changes : IDisposable
{
    private readonly SemaphoreSlim _changed = new(1);
    private readonly WindowsWatch _watch;

    public Changes() => _watch = new(new(), _ => _changed.Release());

    public void Await(TimeSpan patience, string problem, Func<bool> holds)
    {
        long start = Stopwatch.GetTimestamp();
        while (!holds())
        {
            TimeSpan left = patience - Stopwatch.GetElapsedTime(start);
            Assert.True(left > TimeSpan.Zero && _changed.Wait(left), $"{problem} after {patience.TotalSeconds} s");
        }
    }

    public void Dispose()
    {
        _watch.Dispose();
        _changed.Dispose();
    }
}
