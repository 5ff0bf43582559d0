using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using HostGw.Platform.Windows.Interop;
using static HostGw.Platform.Windows.Interop.IpHlpApi;

namespace HostGw.Platform.Windows;

/// <summary>Turns Windows's notifications into wake-ups. Its callbacks come one after the other, on threads of the system.</summary>
[SupportedOSPlatform("windows")]
internal sealed unsafe class WindowsWatch : IDisposable
{
    private readonly WindowsNews _news;
    private readonly Action<WakeCauses> _wake;
    private readonly List<nint> _handles = [];
    private GCHandle _self;

    /// <exception cref="WindowsException">Windows refuses to announce anything.</exception>
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

    /// <summary>Not from within a callback: it waits for those that run.</summary>
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

    // The row is incomplete: it names the route, and no more may be taken from it.
    [UnmanagedCallersOnly]
    private static void OnRoute(void* context, MIB_IPFORWARD_ROW2* row, int type) =>
        Wake(context, watch => row is null ? WakeCauses.Overrun : watch._news.JudgeRoute(RouteRow.ReadKey(*row)));

    // What changed is not said: it may be the forwarding.
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
