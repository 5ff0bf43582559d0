using HostGw.Lab.Chaos;

namespace HostGw.Lab.Tests;

/// <summary>One cluster for all faults of a table: each leaves it as it found it.</summary>
public abstract class FaultStage(bool isTunnelled) : IAsyncLifetime
{
    internal Stage Stage { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Stage = await Stage.BuildAsync(isTunnelled, isLong: false, Environment.TickCount);

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await Stage.DisposeAsync();
    }
}

/// <summary>One segment.</summary>
public sealed class SegmentStage() : FaultStage(isTunnelled: false);

/// <summary>Two segments, and a tunnel between them.</summary>
public sealed class TunnelStage() : FaultStage(isTunnelled: true);
