using System.Runtime.Versioning;
using HostGw.Platform.Cni;
using HostGw.Tests.Kubernetes;

namespace HostGw.Tests.Platform.Cni;

[SupportedOSPlatform("linux")]
public sealed class CniWatchTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly SemaphoreSlim _told = new(0);
    private readonly CniWatch _watch;

    public CniWatchTests()
    {
        Directory.CreateDirectory(Net);
        _watch = new(Net) { Changed = () => _told.Release() };
        _watch.Listen(true);
    }

    public void Dispose()
    {
        _watch.Dispose();
        _told.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task What_others_do_among_the_configurations_is_announced()
    {
        await ToldAsync(() => Write("10-a.conflist"));
        await ToldAsync(() => Write("10-a.conflist"));
        await ToldAsync(() => File.Move(PathOf("10-a.conflist"), PathOf("10-a.bak")));
        await ToldAsync(() => File.Move(PathOf("10-a.bak"), PathOf("50-b.conf")));
        await ToldAsync(() => File.Delete(PathOf("50-b.conf")));
    }

    [Fact]
    public async Task A_directory_that_was_removed_and_made_anew_is_listened_to_again()
    {
        Directory.Delete(Net, recursive: true);
        Directory.CreateDirectory(Net);
        _watch.Listen(true);
        await ToldAsync(() => Write("10-a.conflist"));

        Directory.Delete(Net, recursive: true);
        _watch.Listen(true);
        Directory.CreateDirectory(Net);
        _watch.Listen(true);
        await ToldAsync(() => Write("10-a.conflist"));
    }

    private string Net => _folder["net.d"];

    private string PathOf(string name) => _folder[$"net.d/{name}"];

    private void Write(string name) => File.WriteAllText(PathOf(name), "{");

    private async Task ToldAsync(Action change)
    {
        while (_told.Wait(TimeSpan.Zero, CancellationToken.None))
            ;
        change();
        Assert.True(await _told.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken));
    }
}
