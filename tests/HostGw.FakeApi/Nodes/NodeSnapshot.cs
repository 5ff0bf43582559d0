using HostGw.FakeApi.Storage;

namespace HostGw.FakeApi;

/// <summary>All nodes as they stood at one resourceVersion.</summary>
public sealed class NodeSnapshot
{
    internal NodeSnapshot(TableSnapshot table) => Table = table;

    public long ResourceVersion => Table.Revision;

    public int Count => Table.Objects.Count;

    internal TableSnapshot Table { get; }
}
