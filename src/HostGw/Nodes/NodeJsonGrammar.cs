namespace HostGw.Nodes;

/// <summary>Where in the JSON a decoder is. Every place lies in exactly one other, except a Node, which has an envelope.</summary>
internal enum JsonPlace : byte
{
    /// <summary>Before or after a document, or nowhere that concerns us.</summary>
    Outside,
    List,
    ListMetadata,
    Items,
    Event,
    Node,
    Metadata,
    Labels,
    Annotations,
    Spec,
    PodCidrs,
    Status,
    NodeInfo,
    Addresses,
    Address,
}

/// <summary>The properties that are read, wherever they stand.</summary>
internal enum JsonField : byte
{
    Unknown,
    Kind,
    Metadata,
    Items,
    Object,
    Type,
    Spec,
    Status,
    Code,
    Reason,
    Message,
    Name,
    Uid,
    ResourceVersion,
    Continue,
    CreationTimestamp,
    Labels,
    Annotations,
    PodCidr,
    PodCidrs,
    NodeInfo,
    OperatingSystem,
    Addresses,
    Address,
    NextHop,
    Skip,
    InitialEventsEnd,
}

/// <summary>Which parts of the API's JSON are entered; everything else is skipped.</summary>
internal static class NodeJsonGrammar
{
    private static readonly (byte[] Name, JsonField Field)[] Fields =
    [
        ("kind"u8.ToArray(), JsonField.Kind),
        ("metadata"u8.ToArray(), JsonField.Metadata),
        ("items"u8.ToArray(), JsonField.Items),
        ("object"u8.ToArray(), JsonField.Object),
        ("type"u8.ToArray(), JsonField.Type),
        ("spec"u8.ToArray(), JsonField.Spec),
        ("status"u8.ToArray(), JsonField.Status),
        ("code"u8.ToArray(), JsonField.Code),
        ("reason"u8.ToArray(), JsonField.Reason),
        ("message"u8.ToArray(), JsonField.Message),
        ("name"u8.ToArray(), JsonField.Name),
        ("uid"u8.ToArray(), JsonField.Uid),
        ("resourceVersion"u8.ToArray(), JsonField.ResourceVersion),
        ("continue"u8.ToArray(), JsonField.Continue),
        ("creationTimestamp"u8.ToArray(), JsonField.CreationTimestamp),
        ("labels"u8.ToArray(), JsonField.Labels),
        ("annotations"u8.ToArray(), JsonField.Annotations),
        ("podCIDR"u8.ToArray(), JsonField.PodCidr),
        ("podCIDRs"u8.ToArray(), JsonField.PodCidrs),
        ("nodeInfo"u8.ToArray(), JsonField.NodeInfo),
        ("operatingSystem"u8.ToArray(), JsonField.OperatingSystem),
        ("addresses"u8.ToArray(), JsonField.Addresses),
        ("address"u8.ToArray(), JsonField.Address),
    ];

    public static JsonField Find(ReadOnlySpan<byte> name)
    {
        foreach ((byte[] known, JsonField field) in Fields)
        {
            if (name.SequenceEqual(known))
                return field;
        }
        return JsonField.Unknown;
    }

    /// <summary>The place that an object or array opens; Outside if its content is of no interest.</summary>
    public static JsonPlace Child(JsonPlace place, JsonField field, bool isArray) => (place, field, isArray) switch
    {
        (JsonPlace.List, JsonField.Metadata, false) => JsonPlace.ListMetadata,
        (JsonPlace.List, JsonField.Items, true) => JsonPlace.Items,
        (JsonPlace.Items, _, false) => JsonPlace.Node,
        (JsonPlace.Event, JsonField.Object, false) => JsonPlace.Node,
        (JsonPlace.Node, JsonField.Metadata, false) => JsonPlace.Metadata,
        (JsonPlace.Node, JsonField.Spec, false) => JsonPlace.Spec,
        (JsonPlace.Node, JsonField.Status, false) => JsonPlace.Status,
        (JsonPlace.Metadata, JsonField.Labels, false) => JsonPlace.Labels,
        (JsonPlace.Metadata, JsonField.Annotations, false) => JsonPlace.Annotations,
        (JsonPlace.Spec, JsonField.PodCidrs, true) => JsonPlace.PodCidrs,
        (JsonPlace.Status, JsonField.NodeInfo, false) => JsonPlace.NodeInfo,
        (JsonPlace.Status, JsonField.Addresses, true) => JsonPlace.Addresses,
        (JsonPlace.Addresses, _, false) => JsonPlace.Address,
        _ => JsonPlace.Outside,
    };

    public static JsonPlace Parent(JsonPlace place, JsonPlace envelope) => place switch
    {
        JsonPlace.ListMetadata or JsonPlace.Items => JsonPlace.List,
        JsonPlace.Node => envelope,
        JsonPlace.Metadata or JsonPlace.Spec or JsonPlace.Status => JsonPlace.Node,
        JsonPlace.Labels or JsonPlace.Annotations => JsonPlace.Metadata,
        JsonPlace.PodCidrs => JsonPlace.Spec,
        JsonPlace.NodeInfo or JsonPlace.Addresses => JsonPlace.Status,
        JsonPlace.Address => JsonPlace.Addresses,
        _ => JsonPlace.Outside,
    };
}
