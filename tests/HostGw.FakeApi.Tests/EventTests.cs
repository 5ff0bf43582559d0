using k8s;
using k8s.Models;

namespace HostGw.FakeApi.Tests;

/// <summary>Events in both groups, core/v1 and events.k8s.io/v1: the same objects in other words.</summary>
public sealed class EventTests : ClientTest
{
    private static readonly DateTime At = new(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc);
    private static readonly DateTime Micro = At.AddTicks(1_234_560);

    [Fact]
    public async Task A_core_event_is_created_read_counted_up_and_deleted()
    {
        Corev1Event created = await Client.CoreV1.CreateNamespacedEventAsync(CoreEvent("e"), "default", cancellationToken: Cancel);
        Assert.Equal(("Because", 1, At), (created.Reason, created.Count, created.FirstTimestamp));
        V1Patch patch = new(new Corev1Event { Count = 2, LastTimestamp = At.AddMinutes(5), Message = "twice" }, V1Patch.PatchType.MergePatch);
        Corev1Event patched = await Client.CoreV1.PatchNamespacedEventAsync(patch, "e", "default", cancellationToken: Cancel);
        Assert.Equal((2, At, At.AddMinutes(5), "twice"), (patched.Count, patched.FirstTimestamp, patched.LastTimestamp, patched.Message));
        Corev1Event read = await Client.CoreV1.ReadNamespacedEventAsync("e", "default", cancellationToken: Cancel);
        Assert.Equal(KubernetesJson.Serialize(patched), KubernetesJson.Serialize(read));

        read.Count = 3;
        await Client.CoreV1.ReplaceNamespacedEventAsync(read, "e", "default", cancellationToken: Cancel);
        V1Status stale = await RefusedAsync(
            HttpStatusCode.Conflict, () => Client.CoreV1.ReplaceNamespacedEventAsync(read, "e", "default", cancellationToken: Cancel));
        Assert.Equal(("Conflict", "events"), (stale.Reason, stale.Details.Kind));
        await Client.CoreV1.DeleteNamespacedEventAsync("e", "default", cancellationToken: Cancel);
        V1Status missing = await RefusedAsync(
            HttpStatusCode.NotFound, () => Client.CoreV1.PatchNamespacedEventAsync(patch, "e", "default", cancellationToken: Cancel));
        Assert.Equal("events \"e\" not found", missing.Message);
    }

    [Fact]
    public async Task An_event_in_another_namespace_than_its_object_is_422()
    {
        V1Status status = await RefusedAsync(
            HttpStatusCode.UnprocessableEntity,
            () => Client.CoreV1.CreateNamespacedEventAsync(CoreEvent("e"), "kube-system", cancellationToken: Cancel));
        Assert.Equal("involvedObject.namespace", Assert.Single(status.Details.Causes).Field);
    }

    [Fact]
    public async Task A_new_event_is_created_and_is_a_core_event_as_well()
    {
        Eventsv1Event created = await Client.EventsV1.CreateNamespacedEventAsync(NewEvent("e"), "default", cancellationToken: Cancel);
        Assert.Equal(("events.k8s.io/v1", "hello", Micro), (created.ApiVersion, created.Note, created.EventTime));
        Corev1Event core = await Client.CoreV1.ReadNamespacedEventAsync("e", "default", cancellationToken: Cancel);
        Assert.Equal(("hello", "a", created.EventTime), (core.Message, core.InvolvedObject.Name, core.EventTime));
        Corev1EventList list = await Client.CoreV1.ListEventForAllNamespacesAsync(fieldSelector: "involvedObject.name=a", cancellationToken: Cancel);
        Assert.Equal("e", Assert.Single(list.Items).Name());
        Eventsv1EventList renamed = await Client.EventsV1.ListNamespacedEventAsync("default", cancellationToken: Cancel);
        Assert.Equal("hello", Assert.Single(renamed.Items).Note);
    }

    [Fact]
    public async Task A_new_event_is_counted_up_in_its_series_and_its_text_is_immutable()
    {
        Eventsv1Event created = await Client.EventsV1.CreateNamespacedEventAsync(NewEvent("e"), "default", cancellationToken: Cancel);
        created.Series = new() { Count = 2, LastObservedTime = Micro.AddMinutes(5) };
        Eventsv1Event counted = await Client.EventsV1.ReplaceNamespacedEventAsync(created, "e", "default", cancellationToken: Cancel);
        Assert.Equal((2, Micro.AddMinutes(5)), (counted.Series.Count, counted.Series.LastObservedTime));
        V1Patch text = new("""{"note":"other"}""", V1Patch.PatchType.MergePatch);
        await RefusedAsync(
            HttpStatusCode.UnprocessableEntity, () => Client.EventsV1.PatchNamespacedEventAsync(text, "e", "default", cancellationToken: Cancel));
        await Client.EventsV1.DeleteNamespacedEventAsync("e", "default", cancellationToken: Cancel);
        Assert.Empty(Api.Events);
    }

    // KubernetesClient writes no fraction for a whole second, which a real server refuses as well.
    [Fact]
    public async Task A_time_of_microseconds_without_its_six_digits_is_400()
    {
        Eventsv1Event whole = NewEvent("e");
        whole.EventTime = At;
        V1Status status = await RefusedAsync(
            HttpStatusCode.BadRequest, () => Client.EventsV1.CreateNamespacedEventAsync(whole, "default", cancellationToken: Cancel));
        Assert.Contains("parsing time \"2026-01-02T03:04:05Z\"", status.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task They_are_watched_in_either_group()
    {
        string version = $"{Api.ResourceVersion}";
        await using Watched<Corev1Event> core = new(Client.CoreV1.WatchListNamespacedEventAsync(
            "default", fieldSelector: "involvedObject.kind=Node", resourceVersion: version, cancellationToken: Cancel));
        await using Watched<Eventsv1Event> renamed = new(Client.EventsV1.WatchListNamespacedEventAsync(
            "default", resourceVersion: version, allowWatchBookmarks: true, cancellationToken: Cancel));
        await Client.CoreV1.CreateNamespacedEventAsync(CoreEvent("e"), "default", cancellationToken: Cancel);
        await Client.CoreV1.DeleteNamespacedEventAsync("e", "default", cancellationToken: Cancel);
        Assert.Equal(["Added e", "Deleted e"], await core.TakeAsync(2));
        Assert.Equal(["Added e", "Deleted e"], await renamed.TakeAsync(2));
        Assert.Equal($"{Api.ResourceVersion}", (await renamed.BookmarkAsync()).ResourceVersion());
    }

    private static Corev1Event CoreEvent(string name) => new()
    {
        Metadata = new() { Name = name },
        InvolvedObject = new() { Kind = "Node", Name = "a", Uid = "a" },
        Type = "Warning",
        Reason = "Because",
        Message = "once",
        Count = 1,
        FirstTimestamp = At,
        LastTimestamp = At,
    };

    private static Eventsv1Event NewEvent(string name) => new()
    {
        Metadata = new() { Name = name },
        Regarding = new() { Kind = "Node", Name = "a", Uid = "a" },
        Type = "Normal",
        Reason = "Because",
        Note = "hello",
        Action = "Test",
        EventTime = Micro,
        ReportingController = "hostgw.io/test",
        ReportingInstance = "a",
    };
}
