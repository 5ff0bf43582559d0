using System.Text;

namespace HostGw.Status;

/// <summary>What an HTTP/1.1 request asks for.</summary>
/// <remarks>RFC 9112</remarks>
internal readonly record struct RequestHead(string Method, string Path, string Host)
{
    public const int MaxBytes = 8192;

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

    /// <summary>False until the blank line after the headers has come, and for what is no request.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out RequestHead head)
    {
        head = default;
        int end = bytes.IndexOf("\r\n\r\n"u8);
        if (end < 0)
            return false;

        string[] lines = Encoding.Latin1.GetString(bytes[..end]).Split("\r\n");
        if (lines[0].Split(' ') is not [var method, ['/', ..] path, var version] || !version.StartsWith("HTTP/1.", StringComparison.Ordinal))
            return false;

        string host = lines.Skip(1).FirstOrDefault(l => l.StartsWith("Host:", StringComparison.OrdinalIgnoreCase))?["Host:".Length..].Trim() ?? "";
        head = new(method, path.Split('?')[0], host);
        return true;
    }
}
