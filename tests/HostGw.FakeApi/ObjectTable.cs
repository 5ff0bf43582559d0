using System.Text;
using System.Text.Json.Nodes;
using HostGw.FakeApi.Resources;
using HostGw.FakeApi.Storage;

namespace HostGw.FakeApi;

/// <summary>Objects of every kind, changed from inside: no validation.</summary>
public sealed class ObjectTable
{
    private readonly Store _store;
    private readonly TimeProvider _time;

    internal ObjectTable(Store store, TimeProvider time) => (_store, _time) = (store, time);

    /// <summary>Adds or replaces the object that this JSON is: its kind, metadata.name and, if it has one, metadata.namespace.
    /// The resourceVersion is the server's; uid and creationTimestamp are kept or made unless given.</summary>
    /// <returns>The resourceVersion of the write.</returns>
    public long Put(string json) => Put(JsonNode.Parse(json, documentOptions: ObjectJson.Deep)!.AsObject());

    public long Put(JsonObject content)
    {
        ResourceKind kind = Kinds.Of(JsonFields.At(content, "kind"));
        string key = kind.Key(JsonFields.At(content, "metadata.namespace"), JsonFields.At(content, "metadata.name"));
        return _store[kind].Write(key, old => Identified(content, old)).Revision;
    }

    /// <summary>Null when there is no such object.</summary>
    /// <param name="ns">Ignored for kinds without a namespace.</param>
    public string? Get(string kind, string? ns, string name)
    {
        ResourceKind found = Kinds.Of(kind);
        return _store[found].Read().Find(found.Key(ns, name)) is { } item ? Encoding.UTF8.GetString(item.Json.Span) : null;
    }

    /// <summary>False when there was none.</summary>
    public bool Delete(string kind, string? ns, string name)
    {
        ResourceKind found = Kinds.Of(kind);
        return _store[found].Delete(found.Key(ns, name)) is not null;
    }

    /// <summary>Names, or namespace/name, in this order.</summary>
    public IReadOnlyList<string> Keys(string kind) => [.. _store[Kinds.Of(kind)].Read().Objects.Select(o => o.Key)];

    private JsonObject Identified(JsonObject content, JsonObject? old)
    {
        JsonObject metadata = JsonFields.Metadata(content);
        metadata["uid"] ??= old?["metadata"]?["uid"]?.DeepClone() ?? Guid.NewGuid().ToString();
        metadata["creationTimestamp"] ??= old?["metadata"]?["creationTimestamp"]?.DeepClone() ?? JsonFields.Time(_time.GetUtcNow());
        return content;
    }
}
