using System.Collections.Immutable;
using System.Globalization;
using HostGw.Planning;

namespace HostGw.Settings;

/// <summary>Which values a setting takes.</summary>
/// <param name="Placeholder">The name of the value in --help.</param>
/// <param name="Allowed">Completes the sentence "the value must be …".</param>
internal abstract record SettingType(string Placeholder, string Allowed)
{
    /// <summary>All values, where they can be listed.</summary>
    public ImmutableArray<string> Choices { get; init; } = [];

    /// <summary>Takes several values: comma-separated, or a YAML list.</summary>
    public bool IsList { get; init; }

    /// <summary>The flag without a value means true.</summary>
    public bool IsSwitch { get; init; }
}

/// <inheritdoc/>
/// <param name="Parse">Throws <see cref="BadValueException"/>.</param>
internal sealed record SettingType<T>(string Placeholder, string Allowed, Func<string, T> Parse) : SettingType(Placeholder, Allowed)
{
    /// <summary>Accepts one more text, which no message mentions.</summary>
    public SettingType<T> Accepting(string text, T value) => this with { Parse = given => given == text ? value : Parse(given) };
}

/// <summary>A text that is not a value of its setting.</summary>
/// <param name="value">The wrong part: of a list, one element.</param>
/// <param name="complaint">Follows the value in the sentence: "must be …".</param>
internal sealed class BadValueException(string value, string complaint) : Exception($"{Quoted.From(value)} {complaint}");

/// <summary>The types of all settings: first the general ones, then those of networking.</summary>
internal static class SettingTypes
{
    /// <summary>Parses one value; false if the text is none.</summary>
    public delegate bool TryParse<T>(string text, out T value);

    private static readonly Prefix[] Loopback = [Prefix.Parse("127.0.0.0/8"), Prefix.Parse("::1/128")];

    // linux/rtnetlink.h, RTPROT_*. A route with one of these belongs to that program, and HostGw deletes routes by their protocol.
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

    public static SettingType<bool> Switch { get; } = Choice(("true", true), ("false", false)) with { IsSwitch = true };

    /// <summary>A file or directory, which need not exist yet.</summary>
    public static SettingType<string> AbsolutePath { get; } = Make(
        "path", "an absolute path", static (string text, out string path) => IsAbsolute(path = text));

    /// <summary>A file; null for an empty text.</summary>
    public static SettingType<string?> OptionalPath { get; } = Make(
        "file", "a file name", static (string text, out string? path) =>
        {
            path = text.Length == 0 ? null : text;
            return !text.Any(char.IsControl);
        });

    /// <summary>A directory; null for "none".</summary>
    public static SettingType<string?> OptionalDirectory { get; } = Make(
        "path|none", "an absolute path, or none", static (string text, out string? path) =>
        {
            path = text == "none" ? null : text;
            return path is null || IsAbsolute(path);
        });

    /// <summary>A name that is safe in a document, a path and an interface's alias.</summary>
    public static SettingType<string> Word { get; } = Make(
        "name", "a name of letters, digits, '-', '_' and '.'", static (string text, out string name) =>
            (name = text).Length is > 0 and <= 64 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'));

    public static SettingType<NodeSelector> Selector { get; } = Make(
        "selector", "a label selector such as pool=a,tier!=db,!virtual,zone in (x,y)", static (string text, out NodeSelector selector) =>
        {
            selector = NodeSelector.Everything;
            try
            {
                selector = NodeSelector.Parse(text);
                return true;
            }
            catch (FormatException)
            {
                return false;
            }
        });

    public static SettingType<ImmutableArray<Prefix>> Cidrs { get; } =
        new("cidr,…", "CIDRs such as 10.244.0.0/16,fd00:10:244::/56", static text => Elements(text, Cidr)) { IsList = true };

    /// <summary>Null for "auto".</summary>
    public static SettingType<ImmutableArray<Prefix>?> AutoCidrs { get; } = new(
        "auto|none|cidr,…", "auto, none, or CIDRs such as 10.96.0.0/16,fd00:10:96::/112", static text => text switch
        {
            "auto" or "" => null,
            "none" => [],
            _ => Elements(text, Cidr),
        })
    { IsList = true };

    /// <summary>Keys of labels.</summary>
    /// <remarks>https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set</remarks>
    public static SettingType<ImmutableArray<string>> LabelKeys { get; } =
        new("key,…", "label keys such as pool,topology.kubernetes.io/zone", static text => Elements(text, LabelKey)) { IsList = true };

    /// <summary>A Kubernetes object name (RFC 1123 subdomain).</summary>
    public static SettingType<string> NodeName { get; } = Make(
        "name", "a lower-case DNS name of letters, digits, '-' and '.'", static (string text, out string name) => IsSubdomain(name = text));

    public static SettingType<string> Interface { get; } = Make(
        "auto|name|pattern|cidr", "auto, an interface name, a pattern such as eth*, or an aligned CIDR that holds its address; never lo",
        static (string text, out string name) => (name = text).Contains('/')
            ? Prefix.TryParse(text, out Prefix prefix) && prefix.IsAligned && !Loopback.Any(prefix.Overlaps)
            : text.Length is > 0 and <= 256 && text is not ("lo" or "." or "..") && !text.Any(char.IsControl));

    public static SettingType<byte> RouteProtocol { get; } = new(
        "number", "a number from 5 to 255 that no other program uses", static text =>
        {
            const string range = "must be a number from 5 to 255: the kernel keeps 0 to 4 for itself and for routes made by hand";
            if (!byte.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out byte value) || value < 5)
                throw new BadValueException(text, range);
            if (ForeignProtocols.TryGetValue(value, out string? owner))
                throw new BadValueException(text, $"must be a number that no other program uses: {value} is {owner}");
            return value;
        });

    public static SettingType<IPEndPoint> EndPoint { get; } = Make(
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

    /// <summary>An index in a podCIDR; 0 for "auto". Its bounds are those of the largest podCIDR in IPv4.</summary>
    public static SettingType<int> TunnelSource { get; } = Make(
        "auto|index", "auto, or an index from 2 to 65534", static (string text, out int index) =>
        {
            index = 0;
            return text == "auto" ||
                (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out index) && index is >= 2 and <= 65534);
        });

    /// <summary>None for an empty text.</summary>
    public static SettingType<Ip> OptionalIPv4 { get; } = Make(
        "address", "an IPv4 address such as 192.0.2.10", static (string text, out Ip address) =>
        {
            address = default;
            return text.Length == 0 || (Ip.TryParse(text, out address) && address.IsIPv4);
        });

    /// <summary>The API server; null for an empty text.</summary>
    // A token over http is readable on the wire, except to `kubectl proxy` on this host.
    public static SettingType<Uri?> Server { get; } = Make(
        "url", "an https:// URL (http:// only to this host)", static (string text, out Uri? server) =>
        {
            server = null;
            return text.Length == 0 || (Uri.TryCreate(text, UriKind.Absolute, out server)
                && (server.Scheme == Uri.UriSchemeHttps || (server.Scheme == Uri.UriSchemeHttp && server.IsLoopback))
                && server is { UserInfo: "", Query: "", Fragment: "" });
        });

    public static SettingType<int> Number(int least, int most, string unit)
    {
        string allowed = $"a whole number from {least} to {most}";
        return Make(unit, allowed, (string text, out int value) =>
            int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value >= least && value <= most);
    }

    public static SettingType<T> Choice<T>(params (string Text, T Value)[] choices)
    {
        string[] texts = [.. choices.Select(c => c.Text)];
        return Make(string.Join('|', texts), $"{string.Join(", ", texts[..^1])} or {texts[^1]}", (string text, out T value) =>
        {
            int index = Array.IndexOf(texts, text);
            value = choices[Math.Max(index, 0)].Value;
            return index >= 0;
        }) with
        { Choices = [.. texts] };
    }

    public static SettingType<T> Make<T>(string placeholder, string allowed, TryParse<T> tryParse) => new(placeholder, allowed, text =>
        tryParse(text, out T value) ? value : throw new BadValueException(text, $"must be {allowed}"));

    private static ImmutableArray<T> Elements<T>(string text, Func<string, T> parse) =>
        [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(parse)];

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

    // A path with a leading slash is absolute on Windows, too: the defaults and the chart write them so.
    private static bool IsAbsolute(string path) =>
        (path.StartsWith('/') || (OperatingSystem.IsWindows() && Path.IsPathFullyQualified(path))) && !path.Any(char.IsControl);

    private static string LabelKey(string text)
    {
        int slash = text.IndexOf('/');
        string name = text[(slash + 1)..];
        bool isKey = (slash < 0 || IsSubdomain(text[..slash])) && name.Length is > 0 and <= 63 &&
            char.IsAsciiLetterOrDigit(name[0]) && char.IsAsciiLetterOrDigit(name[^1]) &&
            name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
        return isKey ? text : throw new BadValueException(text, "must be a label key such as pool or topology.kubernetes.io/zone");
    }

    private static bool IsSubdomain(string text) => text.Length is > 0 and <= 253 && text.Split('.').All(IsLabel);

    private static bool IsLabel(string label) =>
        label is [not '-', .., not '-'] or [not '-'] && label.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');
}
