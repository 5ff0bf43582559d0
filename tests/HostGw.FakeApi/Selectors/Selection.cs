using HostGw.FakeApi.Resources;
using HostGw.FakeApi.Storage;
using Microsoft.AspNetCore.Http;

namespace HostGw.FakeApi.Selectors;

/// <summary>Which objects a list, watch or deletecollection is about.</summary>
internal sealed record Selection(string? Namespace, LabelSelector Labels, FieldSelector Fields)
{
    /// <summary>With no selector the server may say how many items remain.</summary>
    public bool IsAll => Labels.IsEmpty && Fields.IsEmpty;

    public static Selection From(ResourceKind kind, string? ns, IQueryCollection query) =>
        new(ns, LabelSelector.Parse(query["labelSelector"]), FieldSelector.Parse(query["fieldSelector"], kind));

    public bool Matches(StoredObject candidate) =>
        (Namespace is null || candidate.Key.StartsWith(Namespace + "/", StringComparison.Ordinal))
        && (Labels.IsEmpty || Labels.Matches(candidate.Labels))
        && Fields.Matches(candidate);
}
