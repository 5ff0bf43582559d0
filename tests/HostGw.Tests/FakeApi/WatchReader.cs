using System.Text.Json.Nodes;

namespace HostGw.Tests.FakeApi;

/// <summary>Reads the frames of an open watch, one line each.</summary>
internal sealed class WatchReader(HttpResponseMessage response, Stream body) : IDisposable
{
    private readonly StreamReader _lines = new(body);

    /// <summary>Null when the watch has ended in good order.</summary>
    public async Task<WatchFrame?> NextAsync()
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(TimeSpan.FromSeconds(60));
        return await _lines.ReadLineAsync(deadline.Token) is { } line ? new WatchFrame(JsonNode.Parse(line)!.AsObject()) : null;
    }

    /// <summary>The next frames as "TYPE name".</summary>
    public async Task<string[]> TakeAsync(int count)
    {
        var frames = new string[count];
        for (int i = 0; i < count; i++)
            frames[i] = (await NextAsync())?.ToString() ?? "end";
        return frames;
    }

    public void Dispose()
    {
        _lines.Dispose();
        response.Dispose();
    }
}

internal sealed record WatchFrame(JsonObject Json)
{
    public string Type => (string)Json["type"]!;

    public JsonObject Object => Json["object"]!.AsObject();

    public string Name => (string?)Object["metadata"]?["name"] ?? "";

    public long Revision => long.Parse((string)Object["metadata"]!["resourceVersion"]!, System.Globalization.CultureInfo.InvariantCulture);

    public override string ToString() => $"{Type} {Name}".TrimEnd();
}
