using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Rtnetlink;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Platform.Linux;

/// <summary>Decides whether a notification of the kernel wakes a pass. The pass itself decides by what it reads.</summary>
/// <param name="ownPort">The netlink port whose changes are our own.</param>
internal sealed class RouteNews(byte routeProtocol, uint ownPort)
{
    private readonly RouteDecoder _decoder = new(routeProtocol);
    private readonly Dictionary<int, HostInterface> _links = [];
    private readonly HashSet<HostAddress> _addresses = [];
    private volatile Plan _plan = new();

    public uint OwnPort => ownPort;

    /// <summary>The plan of the last pass: a foreign route to one of its destinations wakes a pass.</summary>
    public void Expect(Plan plan) => _plan = plan;

    public WakeCauses Read(ReadOnlySpan<byte> datagram)
    {
        WakeCauses causes = WakeCauses.None;
        var messages = new NetlinkMessages(datagram);
        while (messages.Next())
        {
            if (messages.Header.PortId != ownPort)
                causes |= Judge(messages.Header.Type, messages.Payload);
        }
        return causes;
    }

    /// <summary>Notifications were lost: the remembered links and addresses may be out of date.</summary>
    public WakeCauses ReadOverrun()
    {
        _links.Clear();
        _addresses.Clear();
        return WakeCauses.Overrun;
    }

    private WakeCauses Judge(ushort type, ReadOnlySpan<byte> payload) => type switch
    {
        RTM_NEWROUTE or RTM_DELROUTE => IsInteresting(payload) ? WakeCauses.Routes : WakeCauses.None,
        RTM_NEWLINK or RTM_DELLINK => IsNewLinkState(type, payload) ? WakeCauses.Links : WakeCauses.None,
        RTM_NEWADDR or RTM_DELADDR => IsNewAddress(type, payload) ? WakeCauses.Addresses : WakeCauses.None,
        RTM_NEWNETCONF => WakeCauses.Forwarding,
        _ => WakeCauses.None,
    };

    private bool IsInteresting(ReadOnlySpan<byte> payload)
    {
        if (!_decoder.TryDecode(payload, AF_UNSPEC, out HostRoute route))
            return false;
        _decoder.Gateways.Clear();
        return route.IsOurs || route.Destination.Length == 0 || _plan.Wants(route.Destination);
    }

    // Statistics and the like are announced as if the link were new.
    private bool IsNewLinkState(ushort type, ReadOnlySpan<byte> payload)
    {
        if (!LinkMessages.TryDecodeLink(payload, out HostInterface? link))
            return false;
        if (type == RTM_DELLINK)
        {
            _links.Remove(link!.Index);
            return true;
        }

        bool known = _links.TryGetValue(link!.Index, out HostInterface? before) && before == link;
        _links[link.Index] = link;
        return !known;
    }

    // Every router advertisement and every DHCP renewal announces the address again, with a new lifetime.
    private bool IsNewAddress(ushort type, ReadOnlySpan<byte> payload)
    {
        if (!LinkMessages.TryDecodeAddress(payload, out HostAddress address))
            return false;
        if (type == RTM_NEWADDR)
            return _addresses.Add(address);

        _addresses.Remove(address);
        return true;
    }
}
