using HostGw.Planning;
using HostGw.Platform.Windows.Interop;

namespace HostGw.Platform.Windows;

/// <summary>Gathers the rows of netioapi.h, of which an interface has one for each family. Pure.</summary>
internal sealed class InterfaceRows
{
    private const ushort AF_INET = 2;
    private const int TypeAt = 48;
    private const ulong IF_TYPE_SOFTWARE_LOOPBACK = 24;

    private readonly SortedDictionary<int, HostInterface> _interfaces = [];

    /// <summary>Whether any interface of a family forwards; null: no interface has the family.</summary>
    public ForwardingState Forwarding { get; private set; }

    public void Add(in MIB_IPINTERFACE_ROW row)
    {
        bool isIPv4 = row.Family == AF_INET, forwards = row.ForwardingEnabled != 0;
        int index = (int)row.InterfaceIndex;
        bool isLoopback = row.InterfaceLuid >> TypeAt == IF_TYPE_SOFTWARE_LOOPBACK;
        HostInterface known = _interfaces.GetValueOrDefault(index) ??
            new(index, "", IsUp: false, isLoopback) { ForwardsIPv4 = false, ForwardsIPv6 = false, Luid = row.InterfaceLuid };
        known = known with { IsUp = known.IsUp || row.Connected != 0 };
        _interfaces[index] = isIPv4
            ? known with { ForwardsIPv4 = forwards, MetricIPv4 = row.Metric }
            : known with { ForwardsIPv6 = forwards, MetricIPv6 = row.Metric };
        if (!isLoopback)
            Forwarding = isIPv4 ? Forwarding with { IPv4 = Forwarding.IPv4 == true || forwards } : Forwarding with { IPv6 = Forwarding.IPv6 == true || forwards };
    }

    /// <param name="alias">The name of an interface by its LUID; empty: it is gone.</param>
    public IEnumerable<HostInterface> Read(Func<ulong, string> alias) =>
        _interfaces.Values.Select(i => i with { Name = alias(i.Luid) }).Where(i => i.Name.Length > 0);
}
