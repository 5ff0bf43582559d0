using System.Text;

namespace HostGw.Status;

/// <summary>An answer over HTTP/1.1, after which the connection closes.</summary>
internal sealed record HttpAnswer(int Status, string ContentType, ReadOnlyMemory<byte> Body)
{
    public const string PlainText = "text/plain; charset=utf-8";

    /// <summary>What a browser may load and run: nothing, but for the page.</summary>
    public string Policy { get; init; } = "default-src 'none'; frame-ancestors 'none'";

    public string Head =>
        $"HTTP/1.1 {Status} {Reason}\r\n{(Status == 405 ? "Allow: GET, HEAD\r\n" : "")}Content-Type: {ContentType}\r\nContent-Length: {Body.Length}\r\n" +
        $"Content-Security-Policy: {Policy}\r\nCross-Origin-Resource-Policy: same-origin\r\nReferrer-Policy: no-referrer\r\n" +
        "X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n";

    private string Reason => Status switch
    {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        421 => "Misdirected Request",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        _ => "Service Unavailable",
    };

    public static HttpAnswer Text(string text, int status = 200) => new(status, PlainText, Encoding.UTF8.GetBytes(text + "\n"));
}
