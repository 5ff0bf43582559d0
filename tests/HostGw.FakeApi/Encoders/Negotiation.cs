using HostGw.FakeApi.Http;
using HostGw.FakeApi.Resources;
using Microsoft.AspNetCore.Http;

namespace HostGw.FakeApi.Encoders;

/// <summary>Which encoder answers an Accept header: the first type in it that the server speaks.</summary>
internal sealed class Negotiation(bool protobuf)
{
    /// <exception cref="ApiException">406, none of them.</exception>
    public ObjectEncoder Choose(HttpRequest request, ResourceKind kind)
    {
        string accept = request.Headers.Accept.ToString();
        if (accept.Length == 0)
            return new JsonEncoder(kind);
        foreach (string wanted in accept.Split(','))
        {
            string[] parts = wanted.Split(';', StringSplitOptions.TrimEntries);
            bool isPlain = !Array.Exists(parts, p => p.StartsWith("as=", StringComparison.Ordinal));
            if (IsProtobuf(parts[0]) && isPlain && kind == Kinds.Node)
                return new ProtobufEncoder(kind);
            if (!IsJson(parts[0]))
                continue;
            if (isPlain)
                return new JsonEncoder(kind);
            if (parts.Contains("as=Table") && parts.Contains("v=v1"))
                return new TableEncoder(kind, request.Query["includeObject"].ToString());
        }
        throw new ApiException(406, "NotAcceptable", "only the following media types are accepted: application/json", []);
    }

    /// <summary>Whether what is no Node, such as a Status, goes out as protobuf.</summary>
    public bool PrefersProtobuf(HttpRequest request) =>
        request.Headers.Accept.ToString().Split(',').Select(a => a.Split(';')[0].Trim()).FirstOrDefault(a => IsJson(a) || IsProtobuf(a)) is { } first && IsProtobuf(first);

    private bool IsProtobuf(string type) => protobuf && type == ProtobufEncoder.MediaType;

    private static bool IsJson(string type) => type is "application/json" or "application/*" or "*/*";
}
