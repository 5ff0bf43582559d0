namespace HostGw.FakeApi.Resources;

/// <summary>One kind of object the server stores, under its names in paths, discovery and JSON.</summary>
internal sealed record ResourceKind(string Group, string Plural, string Kind, bool Namespaced)
{
    public const string Version = "v1";

    public string[] ShortNames { get; init; } = [];

    public string[] Categories { get; init; } = [];

    public bool HasStatus { get; init; }

    /// <summary>Dotted paths that a fieldSelector may name besides metadata.name and metadata.namespace.</summary>
    public string[] SelectableFields { get; init; } = [];

    /// <summary>What this kind checks and changes when a client writes it.</summary>
    public WriteRules Rules { get; init; } = WriteRules.None;

    public string Singular => Kind.ToLowerInvariant();

    public string ListKind => Kind + "List";

    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <summary>The plural with its group, as error messages name it.</summary>
    public string QualifiedName => Group.Length == 0 ? Plural : $"{Plural}.{Group}";

    public string Key(string? ns, string name) => Namespaced ? $"{ns}/{name}" : name;
}
