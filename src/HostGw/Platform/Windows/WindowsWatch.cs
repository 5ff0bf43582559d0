using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Windows.Interop;
using static HostGw.Platform.Windows.Interop.IpHlpApi;

namespace HostGw.Platform.Windows;

/// <summary>Turns Windows's notifications into wake-ups. Windows calls back on its own threads, one call at a time.</summary>
[SupportedOSPlatform("windows")]
internal sealed unsafe class WindowsWatch : IDisposable
{
    private readonly WindowsNews _news;
    private readonly Action<WakeCauses> _wake;
    private readonly List<nint> _handles = [];
    private GCHandle _self;

    /// <exception cref="WindowsException">A notification cannot be registered.</exception>
    public WindowsWatch(WindowsNews news, Action<WakeCauses> wake)
    {
        (_news, _wake) = (news, wake);
        _self = GCHandle.Alloc(this);
        void* context = (void*)GCHandle.ToIntPtr(_self);
        try
        {
            nint handle = 0;
            Keep("listen to routes", NotifyRouteChange2(AF_UNSPEC, &OnRoute, context, 0, &handle), handle);
            Keep("listen to interfaces", NotifyIpInterfaceChange(AF_UNSPEC, &OnInterface, context, 0, &handle), handle);
            Keep("listen to addresses", NotifyUnicastIpAddressChange(AF_UNSPEC, &OnAddress, context, 0, &handle), handle);
        }
        catch (WindowsException)
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Waits for running callbacks: must not be called from one.</summary>
    public void Dispose()
    {
        foreach (nint handle in _handles)
            _ = CancelMibChangeNotify2(handle);
        _handles.Clear();
        if (_self.IsAllocated)
            _self.Free();
    }

    private void Keep(string what, uint code, nint handle)
    {
        if (code != 0)
            throw new WindowsException(what, code);
        _handles.Add(handle);
    }

    // Only the key of the row is filled in.
    [UnmanagedCallersOnly]
    private static void OnRoute(void* context, MIB_IPFORWARD_ROW2* row, int type) =>
        Wake(context, watch => row is null ? WakeCauses.Overrun : watch._news.JudgeRoute(*row, isNew: type == MibAddInstance));

    // Windows does not say which parameter changed: it may be forwarding.
    [UnmanagedCallersOnly]
    private static void OnInterface(void* context, MIB_IPINTERFACE_ROW* row, int type) =>
        Wake(context, _ => type == MibParameterNotification ? WakeCauses.Links | WakeCauses.Forwarding : WakeCauses.Links);

    [UnmanagedCallersOnly]
    private static void OnAddress(void* context, MIB_UNICASTIPADDRESS_ROW* row, int type) => Wake(context, _ => WakeCauses.Addresses);

    private delegate WakeCauses Judge(WindowsWatch watch);

    private static void Wake(void* context, Judge judge)
    {
        if (GCHandle.FromIntPtr((nint)context).Target is WindowsWatch watch && judge(watch) is var causes and not WakeCauses.None)
            watch._wake(causes);
    }
}

/// <summary>Decides which notifications matter to the last plan. Called on Windows's threads.</summary>
internal sealed class WindowsNews
{
    private volatile Plan _plan = new();

    public void Expect(Plan plan) => _plan = plan;

    /// <summary>
    /// A route matters if its destination is one of the plan's or inside a podCIDR, if it is a default route, or if it says what is
    /// on-link.
    /// </summary>
    /// <param name="isNew">False: it was changed or removed.</param>
    public WakeCauses JudgeRoute(in MIB_IPFORWARD_ROW2 row, bool isNew)
    {
        OwnedRoute key = RouteRow.ReadKey(row);
        HostRoute route = new()
        {
            Destination = key.Destination,
            NextHop = key.NextHop,
            Interface = (int)row.InterfaceIndex,
            IsUnicast = true,
        };
        Plan plan = _plan;
        bool matters = !key.Destination.IsNone && (key.Destination.Length == 0 || plan.Wants(key.Destination) ||
            plan.PeerRouteOver(key.Destination) is not null || plan.IsOfOwnPods(key.Destination) ||
            plan.OnLink.MayChange(route, isGone: !isNew));
        return matters ? WakeCauses.Routes : WakeCauses.None;
    }
}
