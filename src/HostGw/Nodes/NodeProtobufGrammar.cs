namespace HostGw.Nodes;

/// <summary>The messages that are entered.</summary>
/// <remarks>staging/src/k8s.io/api/core/v1/generated.proto and apimachinery's runtime, meta/v1 generated.proto of Kubernetes</remarks>
internal enum ProtobufPlace : byte
{
    /// <summary>Of no interest: skipped.</summary>
    Outside,

    /// <summary>runtime.Unknown around a list.</summary>
    Envelope,
    EnvelopeType,
    List,
    ListMetadata,
    Event,
    EventObject,

    /// <summary>runtime.Unknown around the object of an event.</summary>
    ObjectEnvelope,
    ObjectType,
    Status,
    Node,
    Metadata,
    CreationTimestamp,
    Label,
    Annotation,
    Spec,
    NodeStatus,
    Condition,
    Address,
    NodeInfo,
}

/// <summary>Which fields of which messages are entered or read, by number; everything else is skipped.</summary>
internal static class NodeProtobufGrammar
{
    /// <summary>The message in a field; Outside where there is none of interest.</summary>
    /// <param name="isStatus">The object of an event is no Node.</param>
    public static ProtobufPlace Child(ProtobufPlace place, int field, bool isStatus) => (place, field) switch
    {
        (ProtobufPlace.Envelope, 1) => ProtobufPlace.EnvelopeType,
        (ProtobufPlace.Envelope, 2) => ProtobufPlace.List,
        (ProtobufPlace.List, 1) => ProtobufPlace.ListMetadata,
        (ProtobufPlace.List, 2) => ProtobufPlace.Node,
        (ProtobufPlace.Event, 2) => ProtobufPlace.EventObject,
        (ProtobufPlace.EventObject, 1) => ProtobufPlace.ObjectEnvelope,
        (ProtobufPlace.ObjectEnvelope, 1) => ProtobufPlace.ObjectType,
        (ProtobufPlace.ObjectEnvelope, 2) => isStatus ? ProtobufPlace.Status : ProtobufPlace.Node,
        (ProtobufPlace.Node, 1) => ProtobufPlace.Metadata,
        (ProtobufPlace.Node, 2) => ProtobufPlace.Spec,
        (ProtobufPlace.Node, 3) => ProtobufPlace.NodeStatus,
        (ProtobufPlace.Metadata, 8) => ProtobufPlace.CreationTimestamp,
        (ProtobufPlace.Metadata, 11) => ProtobufPlace.Label,
        (ProtobufPlace.Metadata, 12) => ProtobufPlace.Annotation,
        (ProtobufPlace.NodeStatus, 4) => ProtobufPlace.Condition,
        (ProtobufPlace.NodeStatus, 5) => ProtobufPlace.Address,
        (ProtobufPlace.NodeStatus, 7) => ProtobufPlace.NodeInfo,
        _ => ProtobufPlace.Outside,
    };

    /// <summary>Text that is read.</summary>
    public static bool IsText(ProtobufPlace place, int field) => (place, field) switch
    {
        (ProtobufPlace.EnvelopeType or ProtobufPlace.ObjectType, 2) => true, // kind
        (ProtobufPlace.ListMetadata, 2 or 3) => true, // resourceVersion, continue
        (ProtobufPlace.Event, 1) => true, // type
        (ProtobufPlace.Status, 3 or 4) => true, // message, reason
        (ProtobufPlace.Metadata, 1 or 5 or 6) => true, // name, uid, resourceVersion
        (ProtobufPlace.Label or ProtobufPlace.Annotation, 1 or 2) => true, // key, value
        (ProtobufPlace.Spec, 1 or 7) => true, // podCIDR, podCIDRs
        (ProtobufPlace.Condition, 1 or 2) => true, // type, status
        (ProtobufPlace.Address, 1 or 2) => true, // type, address
        (ProtobufPlace.NodeInfo, 9) => true, // operatingSystem
        _ => false,
    };

    /// <summary>Text of which a part would mislead: it must be whole.</summary>
    public static bool IsWholeOnly(ProtobufPlace place) =>
        place is ProtobufPlace.EnvelopeType or ProtobufPlace.ListMetadata;

    /// <summary>Messages that begin with the magic number.</summary>
    public static bool HasMagic(ProtobufPlace place) => place is ProtobufPlace.Envelope or ProtobufPlace.ObjectEnvelope;
}
