using static HostGw.FakeApi.Encoders.ProtobufForms;

namespace HostGw.FakeApi.Encoders;

/// <summary>What all kinds share.</summary>
/// <remarks>kubernetes staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/generated.proto and pkg/runtime/generated.proto.</remarks>
internal static class ProtobufMetadata
{
    public static readonly ProtobufMessage TypeMeta = new(("apiVersion", 1, Text), ("kind", 2, Text));

    public static readonly ProtobufMessage ListMeta = new(
        ("selfLink", 1, Text), ("resourceVersion", 2, Text), ("continue", 3, Text), ("remainingItemCount", 4, NumberIfAny));

    private static readonly ProtobufMessage OwnerReference = new(
        ("kind", 1, Text), ("name", 3, Text), ("uid", 4, Text), ("apiVersion", 5, Text), ("controller", 6, FlagIfAny), ("blockOwnerDeletion", 7, FlagIfAny));

    private static readonly ProtobufMessage ManagedFieldsEntry = new(
        ("manager", 1, Text), ("operation", 2, Text), ("apiVersion", 3, Text), ("time", 4, TimeIfAny),
        ("fieldsType", 6, Text), ("fieldsV1", 7, RawJson), ("subresource", 8, Text));

    public static readonly ProtobufMessage ObjectMeta = new(
        ("name", 1, Text), ("generateName", 2, Text), ("namespace", 3, Text), ("selfLink", 4, Text), ("uid", 5, Text),
        ("resourceVersion", 6, Text), ("generation", 7, Number), ("creationTimestamp", 8, Time), ("deletionTimestamp", 9, TimeIfAny),
        ("deletionGracePeriodSeconds", 10, NumberIfAny), ("labels", 11, Map(Text)), ("annotations", 12, Map(Text)),
        ("ownerReferences", 13, Many(OwnerReference)), ("finalizers", 14, Texts), ("managedFields", 17, Many(ManagedFieldsEntry)));

    private static readonly ProtobufMessage StatusCause = new(("reason", 1, Text), ("message", 2, Text), ("field", 3, Text));

    private static readonly ProtobufMessage StatusDetails = new(
        ("name", 1, Text), ("group", 2, Text), ("kind", 3, Text), ("causes", 4, Many(StatusCause)), ("retryAfterSeconds", 5, Number), ("uid", 6, Text));

    public static readonly ProtobufMessage Status = new(
        ("metadata", 1, One(ListMeta)), ("status", 2, Text), ("message", 3, Text), ("reason", 4, Text), ("details", 5, OneIfAny(StatusDetails)), ("code", 6, Number));
}

/// <summary>The kinds that are sent as protobuf to whoever accepts it; the others are JSON.</summary>
/// <remarks>kubernetes staging/src/k8s.io/api: core/v1, coordination/v1, discovery/v1 and networking/v1, generated.proto.</remarks>
internal static class ProtobufKinds
{
    private static readonly ProtobufMessage ConfigMap = new(
        ("metadata", 1, One(ProtobufMetadata.ObjectMeta)), ("data", 2, Map(Text)), ("binaryData", 3, Map(Bytes)), ("immutable", 4, FlagIfAny));

    private static readonly ProtobufMessage LeaseSpec = new(
        ("holderIdentity", 1, TextIfAny), ("leaseDurationSeconds", 2, NumberIfAny), ("acquireTime", 3, MicroTimeIfAny),
        ("renewTime", 4, MicroTimeIfAny), ("leaseTransitions", 5, NumberIfAny), ("strategy", 6, TextIfAny), ("preferredHolder", 7, TextIfAny));

    private static readonly ProtobufMessage Lease = new(("metadata", 1, One(ProtobufMetadata.ObjectMeta)), ("spec", 2, One(LeaseSpec)));

    private static readonly ProtobufMessage EndpointConditions = new(("ready", 1, FlagIfAny), ("serving", 2, FlagIfAny), ("terminating", 3, FlagIfAny));

    private static readonly ProtobufMessage Endpoint = new(
        ("addresses", 1, Texts), ("conditions", 2, One(EndpointConditions)), ("hostname", 3, TextIfAny), ("nodeName", 6, TextIfAny), ("zone", 7, TextIfAny));

    private static readonly ProtobufMessage EndpointPort = new(
        ("name", 1, TextIfAny), ("protocol", 2, TextIfAny), ("port", 3, NumberIfAny), ("appProtocol", 4, TextIfAny));

    private static readonly ProtobufMessage EndpointSlice = new(
        ("metadata", 1, One(ProtobufMetadata.ObjectMeta)), ("endpoints", 2, Many(Endpoint)), ("ports", 3, Many(EndpointPort)), ("addressType", 4, Text));

    private static readonly ProtobufMessage Condition = new(
        ("type", 1, Text), ("status", 2, Text), ("observedGeneration", 3, Number), ("lastTransitionTime", 4, Time), ("reason", 5, Text), ("message", 6, Text));

    private static readonly ProtobufMessage ServiceCidr = new(
        ("metadata", 1, One(ProtobufMetadata.ObjectMeta)), ("spec", 2, One(new(("cidrs", 1, Texts)))),
        ("status", 3, One(new(("conditions", 1, Many(Condition))))));

    public static readonly ProtobufMessage PartialObjectMetadata = new(("metadata", 1, One(ProtobufMetadata.ObjectMeta)));

    /// <summary>Null: this kind is sent as JSON only.</summary>
    public static ProtobufMessage? Of(string kind) => kind switch
    {
        "Node" => ProtobufNode.Message,
        "ConfigMap" => ConfigMap,
        "Lease" => Lease,
        "EndpointSlice" => EndpointSlice,
        "ServiceCIDR" => ServiceCidr,
        "PartialObjectMetadata" => PartialObjectMetadata,
        _ => null,
    };
}

/// <summary>A Node.</summary>
/// <remarks>kubernetes staging/src/k8s.io/api/core/v1/generated.proto.</remarks>
internal static class ProtobufNode
{
    private static readonly ProtobufMessage Taint = new(("key", 1, Text), ("value", 2, Text), ("effect", 3, Text), ("timeAdded", 4, TimeIfAny));

    private static readonly ProtobufMessage Spec = new(
        ("podCIDR", 1, Text), ("externalID", 2, Text), ("providerID", 3, Text), ("unschedulable", 4, Flag), ("taints", 5, Many(Taint)), ("podCIDRs", 7, Texts));

    private static readonly ProtobufMessage Condition = new(
        ("type", 1, Text), ("status", 2, Text), ("lastHeartbeatTime", 3, Time), ("lastTransitionTime", 4, Time), ("reason", 5, Text), ("message", 6, Text));

    private static readonly ProtobufMessage Address = new(("type", 1, Text), ("address", 2, Text));

    private static readonly ProtobufMessage DaemonEndpoint = new(("Port", 1, Number));

    private static readonly ProtobufMessage DaemonEndpoints = new(("kubeletEndpoint", 1, One(DaemonEndpoint)));

    private static readonly ProtobufMessage SystemInfo = new(
        ("machineID", 1, Text), ("systemUUID", 2, Text), ("bootID", 3, Text), ("kernelVersion", 4, Text), ("osImage", 5, Text),
        ("containerRuntimeVersion", 6, Text), ("kubeletVersion", 7, Text), ("kubeProxyVersion", 8, Text), ("operatingSystem", 9, Text),
        ("architecture", 10, Text), ("swap", 11, OneIfAny(new(("capacity", 1, NumberIfAny)))));

    private static readonly ProtobufMessage Image = new(("names", 1, Texts), ("sizeBytes", 2, Number));

    private static readonly ProtobufMessage AttachedVolume = new(("name", 1, Text), ("devicePath", 2, Text));

    private static readonly ProtobufMessage RuntimeHandler = new(
        ("name", 1, Text), ("features", 2, OneIfAny(new(("recursiveReadOnlyMounts", 1, FlagIfAny), ("userNamespaces", 2, FlagIfAny)))));

    private static readonly ProtobufMessage Status = new(
        ("capacity", 1, Map(Quantity)), ("allocatable", 2, Map(Quantity)), ("phase", 3, Text), ("conditions", 4, Many(Condition)),
        ("addresses", 5, Many(Address)), ("daemonEndpoints", 6, One(DaemonEndpoints)), ("nodeInfo", 7, One(SystemInfo)), ("images", 8, Many(Image)),
        ("volumesInUse", 9, Texts), ("volumesAttached", 10, Many(AttachedVolume)), ("runtimeHandlers", 12, Many(RuntimeHandler)),
        ("features", 13, OneIfAny(new(("supplementalGroupsPolicy", 1, FlagIfAny)))), ("declaredFeatures", 14, Texts));

    public static readonly ProtobufMessage Message = new(("metadata", 1, One(ProtobufMetadata.ObjectMeta)), ("spec", 2, One(Spec)), ("status", 3, One(Status)));
}
