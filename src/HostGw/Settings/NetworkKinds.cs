using System.Collections.Immutable;
using System.Globalization;
using HostGw.Planning;

namespace HostGw.Settings;

/// <summary>The kinds of values that are addresses, names and numbers of a network.</summary>
internal static class NetworkKinds
{
    private static readonly Prefix[] Loopback = [Prefix.Parse("127.0.0.0/8"), Prefix.Parse("::1/128")];

    // linux/rtnetlink.h, RTPROT_*. A route that carries one of these belongs to that program; ours are the ones we delete.
    private static readonly Dictionary<int, string> ForeignProtocols = new()
    {
        [8] = "gated",
        [9] = "router advertisements",
        [10] = "mrt",
        [11] = "zebra",
        [12] = "bird",
        [13] = "dnrouted",
        [14] = "xorp",
        [15] = "ntk",
        [16] = "dhcp",
        [17] = "mrouted",
        [18] = "keepalived",
        [42] = "babel",
        [84] = "ovn",
        [99] = "openr",
        [186] = "bgp",
        [187] = "isis",
        [188] = "ospf",
        [189] = "rip",
        [192] = "eigrp",
    };

    public static Kind<ImmutableArray<Prefix>> Cidrs { get; } =
        new("cidr,…", "CIDRs such as 10.244.0.0/16,fd00:10:244::/56", static text => Kinds.Elements(text, Cidr)) { IsList = true };

    /// <summary>A Kubernetes object name (RFC 1123 subdomain).</summary>
    public static Kind<string> NodeName { get; } = Kinds.Make(
        "name", "a lower-case DNS name of letters, digits, '-' and '.'", static (string text, out string name) =>
            (name = text).Length is > 0 and <= 253 && text.Split('.').All(IsLabel));

    public static Kind<string> Interface { get; } = Kinds.Make(
        "auto|name|pattern|cidr", "auto, an interface name, a pattern such as eth*, or an aligned CIDR that holds its address; never lo",
        static (string text, out string name) => (name = text).Contains('/')
            ? Prefix.TryParse(text, out Prefix prefix) && prefix.IsAligned && !Loopback.Any(prefix.Overlaps)
            : text.Length is > 0 and <= 256 && text is not ("lo" or "." or "..") && !text.Any(char.IsControl));

    public static Kind<byte> RouteProtocol { get; } = new("number", "a number from 5 to 255 that no other program uses", static text =>
    {
        if (!byte.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out byte value) || value < 5)
            throw new BadValueException(text, "must be a number from 5 to 255: the kernel keeps 0 to 4 for itself and for routes made by hand");
        if (ForeignProtocols.TryGetValue(value, out string? owner))
            throw new BadValueException(text, $"must be a number that no other program uses: {value} is {owner}");
        return value;
    });

    public static Kind<IPEndPoint> EndPoint { get; } = Kinds.Make(
        "address:port", "an address and a port such as 127.0.0.1:9157 or [::1]:9157", static (string text, out IPEndPoint endPoint) =>
        {
            int colon = text.LastIndexOf(':');
            string host = text[..Math.Max(colon, 0)];
            bool bracketed = host is ['[', .., ']'];
            bool read = Ip.TryParse(bracketed ? host[1..^1] : host, out Ip address) & ushort.TryParse(
                text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort port);
            endPoint = new(read ? address.ToIPAddress() : IPAddress.None, port);
            return read && address.IsIPv6 == bracketed && port > 0;
        });

    /// <summary>None for an empty text.</summary>
    public static Kind<Ip> OptionalIPv4 { get; } = Kinds.Make(
        "address", "an IPv4 address such as 192.0.2.10", static (string text, out Ip address) =>
            text.Length == 0 ? (address = default).IsNone : Ip.TryParse(text, out address) && address.IsIPv4);

    // A token over http is readable on the wire, except to `kubectl proxy` on this host.
    public static Kind<Uri?> Server { get; } = Kinds.Make(
        "url", "an https:// URL (http:// only to this host)", static (string text, out Uri? server) =>
            text.Length == 0 ? (server = null) is null : Uri.TryCreate(text, UriKind.Absolute, out server)
            && (server.Scheme == Uri.UriSchemeHttps || (server.Scheme == Uri.UriSchemeHttp && server.IsLoopback))
            && server is { UserInfo: "", Query: "", Fragment: "" });

    private static Prefix Cidr(string text)
    {
        if (!Prefix.TryParse(text, out Prefix prefix))
            throw new BadValueException(text, "must be a CIDR such as 10.244.0.0/16 or fd00:10:244::/56");
        if (prefix.Address.IsIPv4Mapped)
            throw new BadValueException(text, "must not be an IPv4 prefix written as IPv6");
        if (prefix.Length == 0)
            throw new BadValueException(text, "must be a CIDR that does not hold every address");
        return prefix.IsAligned ? prefix : throw new BadValueException(text, $"has bits set behind its length: write {prefix.Aligned}");
    }

    private static bool IsLabel(string label) =>
        label is [not '-', .., not '-'] or [not '-'] && label.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');
}
