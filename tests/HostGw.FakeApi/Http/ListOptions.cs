using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using HostGw.FakeApi.Resources;
using HostGw.FakeApi.Storage;
using Microsoft.AspNetCore.Http;

namespace HostGw.FakeApi.Http;

/// <summary>The query of a list or watch, checked as the real server checks it.</summary>
/// <remarks>https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions</remarks>
internal sealed record ListOptions
{
    public bool Watch { get; private init; }

    public bool Bookmarks { get; private init; }

    public bool? SendInitialEvents { get; init; }

    public TimeSpan? Timeout { get; private init; }

    public int Limit { get; private init; }

    public ContinueToken? Continue { get; private init; }

    /// <summary>Null: not given, the newest. 0: anything the cache has.</summary>
    public long? Revision { get; private init; }

    public string Match { get; private init; } = "";

    /// <exception cref="ApiException">400 or 422.</exception>
    public static ListOptions From(IQueryCollection query)
    {
        var options = new ListOptions
        {
            Watch = Flag(query, "watch") ?? false,
            Bookmarks = Flag(query, "allowWatchBookmarks") ?? false,
            SendInitialEvents = Flag(query, "sendInitialEvents"),
            Timeout = Number(query, "timeoutSeconds") is { } seconds and > 0 ? TimeSpan.FromSeconds(seconds) : null,
            Limit = (int)(Number(query, "limit") ?? 0),
            Continue = Text(query, "continue") is { } token ? ContinueToken.Parse(token) : null,
            Revision = Number(query, "resourceVersion"),
            Match = Text(query, "resourceVersionMatch") ?? "",
        };
        FieldError[] errors = [.. options.Errors()];
        if (errors.Length > 0)
            throw ApiException.Invalid("meta.k8s.io", "ListOptions", "", errors);
        if (options.Continue is not null && options.Revision > 0)
            throw ApiException.BadRequest("specifying resource version is not allowed when using continue");
        return options;
    }

    private IEnumerable<FieldError> Errors()
    {
        const string Field = "resourceVersionMatch";
        if (SendInitialEvents is not null)
        {
            if (Match != "NotOlderThan")
                yield return Forbidden(Field, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
            yield break;
        }
        if (Match.Length == 0)
            yield break;
        if (Watch)
            yield return Forbidden(Field, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
        if (Revision is null)
            yield return Forbidden(Field, "resourceVersionMatch is forbidden unless resourceVersion is provided");
        if (Continue is not null)
            yield return Forbidden(Field, "resourceVersionMatch is forbidden when continue is provided");
        if (Match is not ("Exact" or "NotOlderThan"))
            yield return new(Field, "FieldValueNotSupported", $"Unsupported value: \"{Match}\": supported values: \"Exact\", \"NotOlderThan\", \"\"");
        if (Match == "Exact" && Revision == 0)
            yield return Forbidden(Field, "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
    }

    private static FieldError Forbidden(string field, string why) => new(field, "FieldValueForbidden", $"Forbidden: {why}");

    private static string? Text(IQueryCollection query, string name) => query[name].ToString() is { Length: > 0 } text ? text : null;

    private static bool? Flag(IQueryCollection query, string name) => Text(query, name) is { } text ? text is "1" or "true" or "True" : null;

    private static long? Number(IQueryCollection query, string name)
    {
        if (Text(query, name) is not { } text)
            return null;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value)
            ? value
            : throw ApiException.BadRequest($"{name}: Invalid value: \"{text}\": strconv.ParseUint: parsing \"{text}\": invalid syntax");
    }
}

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
        catch (JsonException) when (Base64Url.DecodeFromChars(text) is [>= 0x80 and var first, ..])
        {
            throw ApiException.BadRequest(
                $"invalid continue token: continue key is not valid: invalid character '\\u00{first:x2}' looking for beginning of value");
        }
        catch (Exception broken) when (broken is FormatException or JsonException or NullReferenceException or InvalidOperationException)
        {
            throw ApiException.BadRequest($"invalid continue token: continue key is not valid: {broken.Message}");
        }
    }

    /// <summary>The key at which the next page starts: the last one sent, and the least that can follow it.</summary>
    public string Key => Start.Trim('/', '\0');

    public static ContinueToken After(long revision, string key) => new(revision, $"/{key}\0");

    public override string ToString() =>
        Base64Url.EncodeToString(Encoding.UTF8.GetBytes(new JsonObject { ["v"] = "meta.k8s.io/v1", ["rv"] = Revision, ["start"] = Start }.ToJsonString()));
}
