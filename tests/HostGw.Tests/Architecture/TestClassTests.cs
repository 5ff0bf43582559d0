namespace HostGw.Tests.Architecture;

public class TestClassTests
{
    // xunit calls DisposeAsync, and then no Dispose: the folders of such a class would be left behind.
    [Fact]
    public void None_has_a_Dispose_beside_DisposeAsync() => Assert.DoesNotContain(
        typeof(TestClassTests).Assembly.GetTypes(),
        t => typeof(IAsyncLifetime).IsAssignableFrom(t) && typeof(IDisposable).IsAssignableFrom(t));
}
