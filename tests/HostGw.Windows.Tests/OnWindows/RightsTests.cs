using System.ComponentModel;
using System.Runtime.Versioning;
using System.Security.Principal;
using HostGw.Platform.Windows;
using Microsoft.Win32.SafeHandles;

namespace HostGw.Windows.Tests.OnWindows;

/// <summary>What a process may not do that has no administrator's rights.</summary>
[SupportedOSPlatform("windows")]
public sealed class RightsTests(Verification run) : Asking(run)
{
    [Fact]
    public Task A_route_is_refused() => AskAsync(Question.Denied, () =>
    {
        NotAskedException.OnWine();
        OwnedRoute route = new(Prefix.Parse("192.0.2.0/24"), default, Machine.Loopback.Luid);
        Made.WillMake(route);
        using SafeAccessTokenHandle token = Restricted();
        WindowsException denied = Assert.Throws<WindowsException>(
            () => WindowsIdentity.RunImpersonated(token, () => NetIo.CreateRoute(route, 300)));
        Assert.True(denied.IsDenied, denied.Message);
        return denied.Message;
    });

    // This process's own token without administrators' rights, as User Account Control makes one.
    private static unsafe SafeAccessTokenHandle Restricted()
    {
        if (!WindowsApi.OpenProcessToken(WindowsApi.GetCurrentProcess(), WindowsApi.TOKEN_ALL_ACCESS, out SafeAccessTokenHandle own))
            throw new Win32Exception();
        using (own)
        {
            return WindowsApi.CreateRestrictedToken(own, WindowsApi.LUA_TOKEN, 0, null, 0, null, 0, null, out SafeAccessTokenHandle token)
                ? token
                : throw new Win32Exception();
        }
    }
}
