using System.Globalization;
using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Tests.Reconciliation;

/// <summary>Routes that stand, and changes to them, as one reads them.</summary>
internal static class RouteText
{
    public const byte Ours = 157;

    /// <summary>"DESTINATION [via IP] [dev N] [proto N|ours] [metric N] [tos N] [hops N] [onlink] [blackhole] [src] [mtu] [encap]
    /// [to NODE,SOURCE,MTU[,VNI[,OUTERSOURCE]]]"; dev 2 and the family's metric unless said.</summary>
    public static HostRoute Standing(string text)
    {
        string[] words = text.Split(' ');
        string After(string word, string otherwise) => words.Contains(word) ? words[Array.IndexOf(words, word) + 1] : otherwise;
        uint Number(string word, string otherwise) => uint.Parse(After(word, otherwise), CultureInfo.InvariantCulture);

        var destination = Prefix.Parse(words[0]);
        Encapsulation? tunnel = words.Contains("to") ? Tunnel(After("to", "")) : null;
        byte protocol = words.Contains("ours") ? Ours : (byte)Number("proto", "4");
        bool isUnicast = !words.Contains("blackhole");
        return new()
        {
            Destination = destination,
            Metric = Number("metric", destination.IsIPv4 ? "0" : "1024"),
            Tos = (byte)Number("tos", "0"),
            NextHop = tunnel?.Node ?? (words.Contains("via") ? Ip.Parse(After("via", "")) : default),
            Tunnel = tunnel,
            Interface = (int)Number("dev", "2"),
            IsOnLink = words.Contains("onlink"),
            NextHopCount = (ushort)Number("hops", "1"),
            IsUnicast = isUnicast,
            Protocol = protocol,
            IsOurs = protocol == Ours && isUnicast,
            IsConnected = protocol == 2,
            Extras = (words.Contains("src") ? RouteExtras.Source : 0) | (words.Contains("mtu") ? RouteExtras.Metrics : 0) |
                (words.Contains("encap") ? RouteExtras.Encapsulation : 0),
        };
    }

    /// <summary>"NODE,SOURCE,MTU[,VNI[,OUTERSOURCE]]".</summary>
    public static Encapsulation Tunnel(string text)
    {
        string[] parts = text.Split(',');
        uint vni = parts.Length > 3 ? uint.Parse(parts[3], CultureInfo.InvariantCulture) : 157;
        return new(vni, Ip.Parse(parts[0]), Ip.Parse(parts[1]), int.Parse(parts[2], CultureInfo.InvariantCulture))
        {
            OuterSource = parts.Length > 4 ? Ip.Parse(parts[4]) : default,
        };
    }

    /// <summary>One line per change, in the order in which they are made.</summary>
    public static string[] Of(RouteChanges changes) =>
    [
        .. changes.Add.Select(r => $"add {Show(r)}"),
        .. changes.Replace.Select(c => $"replace {Show(c.Route)} ({c.Cause})"),
        .. changes.Delete.Select(r => $"delete {Show(r)}"),
        .. changes.Conflicts.Select(c => $"conflict {c.Route.Destination} held by {Show(c.Foreign)}"),
        .. changes.IsUnfinished ? ["unfinished"] : Array.Empty<string>(),
    ];

    private static string Show(PodRoute r) => $"{r.Destination}{Via(r.NextHop, r.Tunnel)} dev {r.Interface}";

    private static string Show(HostRoute r) =>
        $"{r.Destination}{Via(r.NextHop, r.Tunnel)} dev {r.Interface} proto {r.Protocol}" +
        (r.Metric == (r.Destination.IsIPv4 ? 0u : 1024u) ? "" : $" metric {r.Metric}") + (r.Tos == 0 ? "" : $" tos {r.Tos}");

    private static string Via(Ip nextHop, Encapsulation? tunnel) =>
        tunnel is not null ? $" encap {tunnel.Node}" : nextHop.IsNone ? "" : $" via {nextHop}";
}
