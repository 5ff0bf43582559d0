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
                (5, true) => status with { RetryAfterSeconds = RetryAfter(bytes) },
                (6, false) => status with { Code = (int)field.Value },
                _ => status,
            };
        }
        return status;
    }

    private static int? RetryAfter(ReadOnlySpan<byte> details)
    {
        int? seconds = null;
        var reader = new ProtobufReader(details);
        while (TryRead(ref reader, out ProtobufField field, out _))
        {
            if (field is { Number: 5, HasBytes: false })
                seconds = (int)field.Value;
        }
        return seconds;
    }

    private static bool TryRead(ref ProtobufReader reader, out ProtobufField field, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        return reader.TryReadField(out field) && (!field.HasBytes || reader.TryReadBytes(field, out bytes));
    }
}
