using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;
using static HostGw.Platform.Linux.Netlink.NetlinkFlags;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Platform.Linux.Rtnetlink;

/// <summary>
/// Nexthop objects (ip nexthop). With the sysctl nexthop_compat_mode=0 a route names its object and not the gateway and interface.
/// </summary>
internal sealed class NexthopObjects
{
    private readonly Dictionary<uint, Nexthop> _objects = [];
    private readonly Dictionary<uint, uint[]> _groups = [];

    /// <summary>Whether the route says neither gateway nor interface, but which object does.</summary>
    public static bool Needs(in HostRoute route) => route is { NextHopObject: not 0, Interface: 0, NextHop.IsNone: true };

    public static void Dump(NetlinkWriter writer, uint sequence)
    {
        writer.Begin(RTM_GETNEXTHOP, NLM_F_REQUEST | NLM_F_DUMP, sequence);
        writer.Write(default(nhmsg));
        writer.End();
    }

    public void Clear()
    {
        _objects.Clear();
        _groups.Clear();
    }

    /// <summary>Reads RTM_NEWNEXTHOP.</summary>
    public void Add(ReadOnlySpan<byte> payload)
    {
        if (payload.Length < Unsafe.SizeOf<nhmsg>())
            return;
        uint id = 0;
        Nexthop read = default;
        uint[]? group = null;
        var attributes = new NetlinkAttributes(payload[Unsafe.SizeOf<nhmsg>()..]);
        while (attributes.Next())
        {
            if (attributes.Type == NHA_ID)
                id = attributes.Read<uint>();
            else if (attributes.Type == NHA_OIF)
                read.Interface = attributes.Read<int>();
            else if (attributes.Type == NHA_GATEWAY)
                read.Gateway = Ip.FromBytes(attributes.Value);
            else if (attributes.Type == NHA_BLACKHOLE)
                read.IsBlackhole = true;
            else if (attributes.Type == NHA_ENCAP_TYPE)
                read.IsTunnelled = true;
            else if (attributes.Type == NHA_GROUP)
                group = Members(attributes.Value);
        }
        if (group is not null)
            _groups[id] = group;
        else
            _objects[id] = read;
    }

    /// <summary>The route with the gateway and interface of its object; of a group, the first gateway, as of a multipath route.</summary>
    public HostRoute Resolve(HostRoute route)
    {
        Nexthop[] hops = HopsOf(route);
        // Gone since the routes were listed, and the route with it.
        if (hops.Length == 0 || hops.Any(h => h.IsBlackhole))
            return route with { IsUnicast = false };
        Nexthop first = hops.FirstOrDefault(h => !h.Gateway.IsNone, hops[0]);
        return route with
        {
            NextHop = first.Gateway,
            Interface = first.Interface,
            NextHopCount = (ushort)hops.Length,
            Extras = hops.Any(h => h.IsTunnelled) ? route.Extras | RouteExtras.Encapsulation : route.Extras,
        };
    }

    /// <summary>The interfaces of all gateways of the route's group.</summary>
    public IEnumerable<int> Interfaces(HostRoute route) => HopsOf(route).Where(h => !h.Gateway.IsNone).Select(h => h.Interface);

    private Nexthop[] HopsOf(HostRoute route) =>
        [.. _groups.GetValueOrDefault(route.NextHopObject, [route.NextHopObject]).Where(_objects.ContainsKey).Select(m => _objects[m])];

    // struct nexthop_grp: id, weight, reserved.
    private static uint[] Members(ReadOnlySpan<byte> value)
    {
        const int Size = 8;
        uint[] members = new uint[value.Length / Size];
        for (int i = 0; i < members.Length; i++)
            members[i] = MemoryMarshal.Read<uint>(value[(i * Size)..]);
        return members;
    }

    private record struct Nexthop(Ip Gateway, int Interface, bool IsBlackhole, bool IsTunnelled);
}

/// <remarks>linux/nexthop.h</remarks>
[StructLayout(LayoutKind.Sequential)]
internal struct nhmsg
{
    public byte nh_family;
    public byte nh_scope;
    public byte nh_protocol;
    public byte resvd;
    public uint nh_flags;
}
