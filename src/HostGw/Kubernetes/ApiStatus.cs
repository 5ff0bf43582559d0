using System.Text;
using System.Text.Json;

namespace HostGw.Kubernetes;

/// <summary>A Status object of the API: why a request was refused. Text is cut to 512 characters and one line.</summary>
/// <remarks>https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/</remarks>
internal sealed record ApiStatus(int Code, string Reason, string Message, int? RetryAfterSeconds)
{
    private const int MaxText = 512, MaxCauses = 16;

    public static ApiStatus None { get; } = new(0, "", "", null);

    /// <summary>The reasons of details.causes.</summary>
    public IReadOnlyList<string> Causes { get; init; } = [];

    /// <summary>Reads JSON or protobuf, also if it breaks off; an answer that is no Status (a proxy's page) becomes the message.</summary>
    public static ApiStatus Parse(ReadOnlyMemory<byte> body)
    {
        try
        {
            return body.Span.StartsWith(ProtobufReader.Magic) ? ParseProtobuf(body.Span[ProtobufReader.Magic.Length..]) : ParseJson(body);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or InvalidDataException)
        {
            return None with { Message = OneLine(Encoding.UTF8.GetString(body.Span[..Math.Min(body.Length, MaxText)])) };
        }
    }

    /// <summary>At most 512 characters, control characters replaced by spaces.</summary>
    public static string OneLine(string text) =>
        string.Create(Math.Min(text.Length, MaxText), text, static (line, source) =>
        {
            for (int i = 0; i < line.Length; i++)
                line[i] = char.IsControl(source[i]) ? ' ' : source[i];
        });

    /// <summary>One more cause. After the 16th they are dropped.</summary>
    public ApiStatus WithCause(string reason) =>
        Causes.Count < MaxCauses ? this with { Causes = [.. Causes, OneLine(reason)] } : this;

    private static ApiStatus ParseJson(ReadOnlyMemory<byte> body)
    {
        using JsonDocument document = JsonDocument.Parse(body);
        JsonElement status = document.RootElement, details = Member(status, "details");
        return new(Number(status, "code") ?? 0, Text(status, "reason"), Text(status, "message"), Number(details, "retryAfterSeconds"))
        {
            Causes = Member(details, "causes") is { ValueKind: JsonValueKind.Array } causes
                ? [.. causes.EnumerateArray().Take(MaxCauses).Select(c => Text(c, "reason"))]
                : [],
        };
    }

    private static JsonElement Member(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement value) ? value : default;

    private static string Text(JsonElement element, string name) =>
        Member(element, name) is { ValueKind: JsonValueKind.String } value ? OneLine(value.GetString()!) : "";

    private static int? Number(JsonElement element, string name) =>
        Member(element, name) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt32(out int number) ? number : null;

    // runtime.Unknown: 2 raw.
    private static ApiStatus ParseProtobuf(ReadOnlySpan<byte> unknown)
    {
        ApiStatus status = None;
        var reader = new ProtobufReader(unknown);
        while (TryRead(ref reader, out ProtobufField field, out ReadOnlySpan<byte> bytes))
        {
            if (field is { Number: 2, HasBytes: true })
                status = ParseRaw(bytes);
        }
        return status;
    }

    // meta/v1/generated.proto, Status: 3 message, 4 reason, 5 details, 6 code.
    private static ApiStatus ParseRaw(ReadOnlySpan<byte> raw)
    {
        ApiStatus status = None;
        var reader = new ProtobufReader(raw);
        while (TryRead(ref reader, out ProtobufField field, out ReadOnlySpan<byte> bytes))
        {
            status = (field.Number, field.HasBytes) switch
            {
                (3, true) => status with { Message = OneLine(Encoding.UTF8.GetString(bytes)) },
                (4, true) => status with { Reason = OneLine(Encoding.UTF8.GetString(bytes)) },
                (5, true) => status.WithDetails(bytes),
                (6, false) => status with { Code = (int)field.Value },
                _ => status,
            };
        }
        return status;
    }

    // StatusDetails: 4 causes, 5 retryAfterSeconds.
    private ApiStatus WithDetails(ReadOnlySpan<byte> details)
    {
        ApiStatus status = this;
        var reader = new ProtobufReader(details);
        while (TryRead(ref reader, out ProtobufField field, out ReadOnlySpan<byte> bytes))
        {
            status = (field.Number, field.HasBytes) switch
            {
                (4, true) => status.WithCause(CauseReason(bytes)),
                (5, false) => status with { RetryAfterSeconds = (int)field.Value },
                _ => status,
            };
        }
        return status;
    }

    // StatusCause: 1 reason.
    private static string CauseReason(ReadOnlySpan<byte> cause)
    {
        string reason = "";
        var reader = new ProtobufReader(cause);
        while (TryRead(ref reader, out ProtobufField field, out ReadOnlySpan<byte> bytes))
        {
            if (field is { Number: 1, HasBytes: true })
                reason = Encoding.UTF8.GetString(bytes);
        }
        return reason;
    }

    private static bool TryRead(ref ProtobufReader reader, out ProtobufField field, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        return reader.TryReadField(out field) && (!field.HasBytes || reader.TryReadBytes(field, out bytes));
    }
}
