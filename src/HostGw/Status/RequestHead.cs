using System.Text;

namespace HostGw.Status;

/// <summary>What an HTTP/1.1 request asks for.</summary>
/// <param name="Search">What a person typed into the page's form.</param>
/// <remarks>RFC 9112</remarks>
internal readonly record struct RequestHead(string Method, string Path, string Search, string Host)
{
    public const int MaxBytes = 8192;
    private const int MaxSearch = 100;

    /// <summary>Without its port, the host is an address of this machine's loopback or "localhost".</summary>
    public bool IsForLoopback
    {
        get
        {
            int port = Host.LastIndexOf(':');
            string name = port > Host.LastIndexOf(']') ? Host[..port] : Host;
            return name.Equals("localhost", StringComparison.OrdinalIgnoreCase) ||
                (IPAddress.TryParse(name.Trim('[', ']'), out IPAddress? address) && IPAddress.IsLoopback(address));
        }
    }

    /// <summary>The blank line after the headers has come.</summary>
    public static bool IsWhole(ReadOnlySpan<byte> bytes) => bytes.IndexOf("\r\n\r\n"u8) >= 0;

    /// <summary>Null for what is no request.</summary>
    /// <param name="bytes">A whole head, and whatever follows it.</param>
    public static RequestHead? Parse(ReadOnlySpan<byte> bytes)
    {
        string[] lines = Encoding.Latin1.GetString(bytes[..bytes.IndexOf("\r\n\r\n"u8)]).Split("\r\n");
        if (lines[0].Split(' ') is not [var method, ['/', ..] path, "HTTP/1.0" or "HTTP/1.1"] || !method.All(char.IsAsciiLetterUpper))
            return null;

        string[] headers = lines[1..];
        string[] hosts = [.. headers.Where(h => h.StartsWith("Host:", StringComparison.OrdinalIgnoreCase))];
        string[] target = path.Split('?', 2);
        string search = target.Length > 1 ? SearchIn(target[1]) : "";
        return hosts.Length == 1 && headers.All(IsHeader) ? new(method, target[0], search, hosts[0]["Host:".Length..].Trim()) : null;
    }

    // As a browser sends a form: https://url.spec.whatwg.org/#urlencoded-serializing
    private static string SearchIn(string query)
    {
        string? field = query.Split('&').FirstOrDefault(f => f.StartsWith("node=", StringComparison.Ordinal));
        string text = field is null ? "" : Uri.UnescapeDataString(field["node=".Length..].Replace('+', ' ')).Trim();
        return text.Length > MaxSearch ? text[..MaxSearch] : text;
    }

    // A space before the colon, or a folded line, is read in different ways by different programs.
    private static bool IsHeader(string line) => line.IndexOf(':') is > 0 and int colon && !line.AsSpan(0, colon).ContainsAny(' ', '\t');
}
