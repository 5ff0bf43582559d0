using HostGw.FakeApi;
using HostGw.Kubernetes;
using HostGw.Tests.Nodes;
using k8s;
using k8s.Models;

namespace HostGw.Tests.Kubernetes;

/// <summary>The paths by which requests leave: raw protobuf, and the library's typed verbs, reading and writing.</summary>
public enum ApiVerb
{
    RawRead,
    TypedRead,
    TypedWrite,
}

internal static class ApiVerbs
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static ApiClient Client(ApiConfiguration configuration) => new(configuration, "1.2.3", PatientTime.OfClient);

    public static async Task DoAsync(this ApiClient client, ApiVerb verb)
    {
        switch (verb)
        {
            case ApiVerb.RawRead:
                using (ApiResponse response = await client.GetProtobufAsync("/api/v1/nodes?resourceVersion=0", Cancel))
                    await response.Body.CopyToAsync(Stream.Null, Cancel);
                break;
            case ApiVerb.TypedRead:
                await client.CoreV1.ReadNodeAsync("a", cancellationToken: Cancel);
                break;
            case ApiVerb.TypedWrite:
                await client.CoreV1.CreateNamespacedEventAsync(Event(), "default", cancellationToken: Cancel);
                break;
        }
    }

    public static Corev1Event Event() => new()
    {
        Kind = "Event",
        ApiVersion = "v1",
        Metadata = new() { Name = $"a.{Guid.NewGuid():N}", NamespaceProperty = "default" },
        InvolvedObject = new() { Kind = "Node", ApiVersion = "v1", Name = "a", Uid = "a" },
        Type = "Warning",
        Reason = "Test",
        Message = "a test",
        Source = new() { Component = "hostgw-test" },
        ReportingComponent = "hostgw-test",
        ReportingInstance = "a",
        FirstTimestamp = new(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc),
        LastTimestamp = new(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc),
        Count = 1,
    };
}
