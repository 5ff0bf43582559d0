using HostGw.FakeApi.Resources;

namespace HostGw.FakeApi.Http;

/// <summary>What a resource path names: /api/v1/namespaces/{ns}/{plural}/{name}/{subresource} and its shorter forms.</summary>
internal sealed record ApiPath(ResourceKind Kind, string? Namespace, string? Name, string? Subresource)
{
    public bool IsStatus => Subresource == "status";

    public string Key => Kind.Key(Namespace, Name!);

    /// <summary>Null when the path names nothing this server has.</summary>
    public static ApiPath? Parse(string path)
    {
        string[] parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return parts switch
        {
            ["api", string version, .. string[] rest] => Parse("", version, rest),
            ["apis", string group, string version, .. string[] rest] => Parse(group, version, rest),
            _ => null,
        };
    }

    private static ApiPath? Parse(string group, string version, string[] parts)
    {
        string? ns = null;
        if (parts is ["namespaces", string inside, string plural, ..] && Kinds.Find(group, version, plural) is { Namespaced: true })
            (ns, parts) = (inside, parts[2..]);
        if (parts.Length is 0 or > 3 || Kinds.Find(group, version, parts[0]) is not { } kind)
            return null;

        var found = new ApiPath(kind, ns, parts.ElementAtOrDefault(1), parts.ElementAtOrDefault(2));
        bool known = found.Subresource is null || (found.IsStatus && kind.HasStatus);
        bool placed = !kind.Namespaced || ns is not null || found.Name is null;
        return known && placed ? found : null;
    }
}
