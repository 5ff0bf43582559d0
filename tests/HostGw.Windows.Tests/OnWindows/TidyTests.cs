using System.Runtime.Versioning;

namespace HostGw.Windows.Tests.OnWindows;

/// <summary>Asks nothing: verify.ps1 runs it alone after a run that was killed, so that what it left is removed.</summary>
[SupportedOSPlatform("windows")]
public sealed class TidyTests(Verification run) : Asking(run)
{
    [Fact]
    public void Whatever_was_recorded_was_removed() =>
        Assert.Empty(Directory.Exists(Machine.Folder) ? Directory.GetFiles(Machine.Folder, "made*.txt") : []);
}
