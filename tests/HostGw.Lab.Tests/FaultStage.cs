using HostGw.Lab.Chaos;

namespace HostGw.Lab.Tests;

/// <summary>One cluster for all faults: each leaves it as it found it.</summary>
public sealed class FaultStage : IAsyncLifetime
{
    internal Stage Stage { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Stage = await Stage.BuildAsync(isLong: false, Environment.TickCount);

    public ValueTask DisposeAsync() => Stage.DisposeAsync();
}
