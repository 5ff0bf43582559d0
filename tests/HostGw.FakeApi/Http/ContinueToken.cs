using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using HostGw.FakeApi.Storage;

namespace HostGw.FakeApi.Http;

/// <summary>Where the next page starts, and at which revision; -1 goes on at whatever is current.</summary>
internal readonly record struct ContinueToken(long Revision, string Start)
{
    public const long Inconsistent = -1;

    /// <exception cref="ApiException">400, not a token of ours.</exception>
    public static ContinueToken Parse(string text)
    {
        try
        {
            JsonNode? token = JsonNode.Parse(Base64Url.DecodeFromChars(text));
            return new(token!["rv"]!.GetValue<long>(), JsonFields.Text(token["start"])!);
        }
        catch (Exception broken) when (broken is FormatException or JsonException or NullReferenceException or InvalidOperationException)
        {
            throw ApiException.BadRequest($"continue key is not valid: {broken.Message}");
        }
    }

    public override string ToString() =>
        Base64Url.EncodeToString(Encoding.UTF8.GetBytes(new JsonObject { ["v"] = "meta.k8s.io/v1", ["rv"] = Revision, ["start"] = Start }.ToJsonString()));
}
