using System.Text.Json.Nodes;

namespace HostGw.FakeApi.Encoders;

/// <summary>How a JSON value is written into a field; null where the JSON has none.</summary>
internal delegate void ProtobufForm(ProtobufWriter output, int field, JsonNode? value);

/// <summary>A message: the JSON name, number and form of each field. What the JSON has besides is left out.</summary>
internal sealed class ProtobufMessage(params (string Name, int Number, ProtobufForm Form)[] fields)
{
    public byte[] Encode(JsonObject? content)
    {
        var output = new ProtobufWriter();
        Write(output, content);
        return output.Written.ToArray();
    }

    public void Write(ProtobufWriter output, JsonNode? content)
    {
        foreach ((string name, int number, ProtobufForm form) in fields)
            form(output, number, (content as JsonObject)?[name]);
    }
}
