using HostGw.FakeApi.Http;
using HostGw.FakeApi.Resources;
using Microsoft.AspNetCore.Http;

namespace HostGw.FakeApi.Encoders;

/// <summary>Which encoder answers an Accept header: the first type in it that the server speaks.</summary>
internal static class Negotiation
{
    /// <exception cref="ApiException">406, none of them.</exception>
    public static ObjectEncoder Choose(HttpRequest request, ResourceKind kind)
    {
        string accept = request.Headers.Accept.ToString();
        if (accept.Length == 0)
            return new JsonEncoder(kind);
        foreach (string wanted in accept.Split(','))
        {
            string[] parts = wanted.Split(';', StringSplitOptions.TrimEntries);
            if (parts[0] is not ("application/json" or "application/*" or "*/*"))
                continue;
            if (!Array.Exists(parts, p => p.StartsWith("as=", StringComparison.Ordinal)))
                return new JsonEncoder(kind);
            if (parts.Contains("as=Table") && parts.Contains("v=v1"))
                return new TableEncoder(kind, request.Query["includeObject"].ToString());
        }
        throw new ApiException(406, "NotAcceptable", "only the following media types are accepted: application/json", []);
    }
}
