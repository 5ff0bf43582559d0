using System.Text;

namespace HostGw.Kubernetes;

/// <summary>Reads a Status object from protobuf, as far as it has arrived.</summary>
/// <remarks>Kubernetes' apimachinery: runtime/generated.proto (Unknown), meta/v1/generated.proto (Status).</remarks>
internal static class ProtobufStatus
{
    /// <param name="body">With the magic number in front.</param>
    /// <exception cref="InvalidDataException">It is broken.</exception>
    public static ApiStatus Parse(ReadOnlySpan<byte> body)
    {
        ApiStatus status = ApiStatus.None;
        var envelope = new ProtobufReader(body[ProtobufReader.Magic.Length..]);
        while (TryRead(ref envelope, out ProtobufField field, out ReadOnlySpan<byte> bytes))
        {
            if (field is { Number: 2, HasBytes: true })
                status = ParseStatus(bytes);
        }
        return status;
    }

    private static ApiStatus ParseStatus(ReadOnlySpan<byte> raw)
    {
        ApiStatus status = ApiStatus.None;
        var reader = new ProtobufReader(raw);
        while (TryRead(ref reader, out ProtobufField field, out ReadOnlySpan<byte> bytes))
        {
            status = (field.Number, field.HasBytes) switch
            {
                (3, true) => status with { Message = ApiStatus.OneLine(Encoding.UTF8.GetString(bytes)) },
                (4, true) => status with { Reason = ApiStatus.OneLine(Encoding.UTF8.GetString(bytes)) },
                (5, true) => ParseDetails(status, bytes),
                (6, false) => status with { Code = (int)field.Value },
                _ => status,
            };
        }
        return status;
    }

    private static ApiStatus ParseDetails(ApiStatus status, ReadOnlySpan<byte> details)
    {
        var reader = new ProtobufReader(details);
        while (TryRead(ref reader, out ProtobufField field, out ReadOnlySpan<byte> bytes))
        {
            if (field is { Number: 5, HasBytes: false })
                status = status with { RetryAfterSeconds = (int)field.Value };
            else if (field is { Number: 4, HasBytes: true } && status.Cause.Length == 0)
                status = status with { Cause = ParseCause(bytes) };
        }
        return status;
    }

    private static string ParseCause(ReadOnlySpan<byte> cause)
    {
        var reader = new ProtobufReader(cause);
        while (TryRead(ref reader, out ProtobufField field, out ReadOnlySpan<byte> bytes))
        {
            if (field is { Number: 1, HasBytes: true })
                return ApiStatus.OneLine(Encoding.UTF8.GetString(bytes));
        }
        return "";
    }

    private static bool TryRead(ref ProtobufReader reader, out ProtobufField field, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        return reader.TryReadField(out field) && (!field.HasBytes || reader.TryReadBytes(field, out bytes));
    }
}
