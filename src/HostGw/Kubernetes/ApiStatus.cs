using System.Text;
using System.Text.Json;

namespace HostGw.Kubernetes;

/// <summary>A Status object of the API: why it refused. Text is cut, and made safe for one line of log.</summary>
/// <remarks>https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/</remarks>
internal sealed record ApiStatus(int Code, string Reason, string Message, int? RetryAfterSeconds)
{
    private const int MaxText = 512;

    /// <summary>The reason of the first of details.causes.</summary>
    public string Cause { get; init; } = "";

    public static ApiStatus None { get; } = new(0, "", "", null);

    /// <summary>Reads what there is; an answer that is no Status (a proxy's page) becomes the message.</summary>
    public static ApiStatus Parse(ReadOnlySpan<byte> body)
    {
        try
        {
            return body.StartsWith(ProtobufReader.Magic) ? ProtobufStatus.Parse(body) : ParseJson(body);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or InvalidDataException)
        {
            return None with { Message = OneLine(Encoding.UTF8.GetString(body[..Math.Min(body.Length, MaxText)])) };
        }
    }

    /// <summary>At most 512 characters, without control characters.</summary>
    public static string OneLine(string text) =>
        string.Create(Math.Min(text.Length, MaxText), text, static (line, source) =>
        {
            for (int i = 0; i < line.Length; i++)
                line[i] = char.IsControl(source[i]) ? ' ' : source[i];
        });

    private static ApiStatus ParseJson(ReadOnlySpan<byte> body)
    {
        var reader = new Utf8JsonReader(body);
        ApiStatus status = None;
        while (reader.Read())
        {
            if (reader.TokenType != JsonTokenType.PropertyName || reader.CurrentDepth > 4)
                continue;
            string name = reader.GetString()!;
            reader.Read();
            status = (reader.CurrentDepth, name, reader.TokenType) switch
            {
                (1, "code", JsonTokenType.Number) when reader.TryGetInt32(out int code) => status with { Code = code },
                (1, "reason", JsonTokenType.String) => status with { Reason = OneLine(reader.GetString()!) },
                (1, "message", JsonTokenType.String) => status with { Message = OneLine(reader.GetString()!) },
                (4, "reason", JsonTokenType.String) when status.Cause.Length == 0 => status with { Cause = OneLine(reader.GetString()!) },
                (2, "retryAfterSeconds", JsonTokenType.Number) when reader.TryGetInt32(out int after) => status with { RetryAfterSeconds = after },
                _ => status,
            };
        }
        return status;
    }
}
