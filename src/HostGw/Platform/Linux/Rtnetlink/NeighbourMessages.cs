using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;
using static HostGw.Platform.Linux.Netlink.NetlinkFlags;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Platform.Linux.Rtnetlink;

/// <summary>Encodes requests that list, probe and delete neighbours, and decodes neighbours.</summary>
internal static class NeighbourMessages
{
    public static void Delete(NetlinkWriter writer, Neighbour neighbour, uint sequence) =>
        Write(writer, RTM_DELNEIGH, NLM_F_REQUEST | NLM_F_ACK, flags: 0, neighbour, sequence);

    /// <summary>Has the kernel resolve the address as if a packet were to be sent there.</summary>
    public static void Use(NetlinkWriter writer, Neighbour neighbour, uint sequence) =>
        Write(writer, RTM_NEWNEIGH, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE, NTF_USE, neighbour, sequence);

    public static void Dump(NetlinkWriter writer, uint sequence)
    {
        writer.Begin(RTM_GETNEIGH, NLM_F_REQUEST | NLM_F_DUMP, sequence);
        writer.Write(default(ndmsg));
        writer.End();
    }

    /// <param name="state">One of NUD_*.</param>
    public static bool TryDecode(ReadOnlySpan<byte> payload, out Neighbour neighbour, out ushort state, out string mac)
    {
        (neighbour, state, mac) = (default, 0, "");
        if (!MemoryMarshal.TryRead(payload, out ndmsg header) || header.ndm_family is not (AF_INET or AF_INET6))
            return false;
        Ip address = default;
        var attributes = new NetlinkAttributes(payload[Unsafe.SizeOf<ndmsg>()..]);
        while (attributes.Next())
        {
            if (attributes.Type == NDA_DST)
                address = Ip.FromBytes(attributes.Value);
            else if (attributes.Type == NDA_LLADDR)
                mac = string.Join(':', attributes.Value.ToArray().Select(b => b.ToString("x2")));
        }
        (neighbour, state) = (new(address, header.ndm_ifindex), header.ndm_state);
        return !address.IsNone;
    }

    private static void Write(NetlinkWriter writer, ushort type, ushort request, byte flags, Neighbour neighbour, uint sequence)
    {
        byte family = neighbour.Address.IsIPv4 ? AF_INET : AF_INET6;
        writer.Begin(type, request, sequence);
        writer.Write(new ndmsg { ndm_family = family, ndm_ifindex = neighbour.Interface, ndm_flags = flags });
        writer.Attribute(NDA_DST, neighbour.Address);
        writer.End();
    }
}
