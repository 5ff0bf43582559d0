namespace HostGw.FakeApi;

/// <summary>Everything a server stores, as it was at one resourceVersion.</summary>
public sealed class StoreSnapshot
{
    internal StoreSnapshot(long revision, IReadOnlyDictionary<string, Storage.TableSnapshot> tables) => (ResourceVersion, Tables) = (revision, tables);

    public long ResourceVersion { get; }

    internal IReadOnlyDictionary<string, Storage.TableSnapshot> Tables { get; }
}
