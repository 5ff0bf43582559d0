using System.Runtime.InteropServices;

namespace HostGw.Lab.Network;

/// <summary>A route was set or removed.</summary>
/// <param name="At">When it was heard, as a Stopwatch timestamp.</param>
internal sealed record RouteEvent(long At, bool Added, IPNetwork Destination, IPAddress? Gateway)
{
    private const ushort RTM_NEWROUTE = 24;
    private const int MessageHeader = 16;
    private const int RouteHeader = 12;
    private const int AttributeHeader = 4;
    private const ushort RTA_DST = 1;
    private const ushort RTA_GATEWAY = 5;

    public static List<RouteEvent> ReadAll(ReadOnlySpan<byte> messages, long at)
    {
        List<RouteEvent> events = [];
        while (messages.Length >= MessageHeader + RouteHeader)
        {
            int length = MemoryMarshal.Read<int>(messages);
            bool added = MemoryMarshal.Read<ushort>(messages[4..]) == RTM_NEWROUTE;
            events.Add(Read(messages[MessageHeader..length], added, at));
            messages = messages[Math.Min(Aligned(length), messages.Length)..];
        }
        return events;
    }

    private static RouteEvent Read(ReadOnlySpan<byte> route, bool added, long at)
    {
        bool v6 = route[0] != 2;
        int prefixLength = route[1];
        IPAddress destination = v6 ? IPAddress.IPv6Any : IPAddress.Any;
        IPAddress? gateway = null;
        ReadOnlySpan<byte> attributes = route[RouteHeader..];
        while (attributes.Length >= AttributeHeader)
        {
            int length = MemoryMarshal.Read<ushort>(attributes);
            ushort type = MemoryMarshal.Read<ushort>(attributes[2..]);
            if (type == RTA_DST)
                destination = new(attributes[AttributeHeader..length]);
            else if (type == RTA_GATEWAY)
                gateway = new(attributes[AttributeHeader..length]);
            attributes = attributes[Math.Min(Aligned(length), attributes.Length)..];
        }
        return new(at, added, new(destination, prefixLength), gateway);
    }

    private static int Aligned(int length) => (length + 3) & ~3;
}
