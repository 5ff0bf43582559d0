using HostGw.Planning;

namespace HostGw.Platform.Windows;

/// <summary>Judges what Windows announces, on a thread of Windows's own.</summary>
internal sealed class WindowsNews
{
    private volatile Plan _plan = new();

    public void Expect(Plan plan) => _plan = plan;

    /// <summary>What stands or may stand where ours should, and default routes: no other matters.</summary>
    public WakeCauses JudgeRoute(OwnedRoute route) =>
        !route.Destination.IsNone && (route.Destination.Length == 0 || _plan.Wants(route.Destination)) ? WakeCauses.Routes : WakeCauses.None;
}
