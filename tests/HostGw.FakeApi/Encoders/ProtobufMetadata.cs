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
