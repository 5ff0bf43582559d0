using k8s;
using k8s.Models;

namespace HostGw.FakeApi.Tests;

public sealed class LeaseTests : ClientTest
{
    private const string Space = "kube-node-lease";

    private static readonly DateTime Renewed = new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc).AddTicks(1_234_560);

    [Fact]
    public async Task A_lease_is_created_read_renewed_and_deleted()
    {
        V1Lease created = await CreateAsync("a");
        Assert.Equal(("coordination.k8s.io/v1", "me", Renewed), (created.ApiVersion, created.Spec.HolderIdentity, created.Spec.RenewTime));
        V1Lease read = await Client.CoordinationV1.ReadNamespacedLeaseAsync("a", Space, cancellationToken: Cancel);
        read.Spec.RenewTime = Renewed.AddSeconds(10);
        V1Lease renewed = await Client.CoordinationV1.ReplaceNamespacedLeaseAsync(read, "a", Space, cancellationToken: Cancel);
        Assert.Equal((Renewed.AddSeconds(10), 15), (renewed.Spec.RenewTime, renewed.Spec.LeaseDurationSeconds));

        V1Status conflict = await RefusedAsync(
            HttpStatusCode.Conflict,
            () => Client.CoordinationV1.ReplaceNamespacedLeaseAsync(created, "a", Space, cancellationToken: Cancel));
        Assert.Equal(("Conflict", "coordination.k8s.io"), (conflict.Reason, conflict.Details.Group));
        V1Status deleted = await Client.CoordinationV1.DeleteNamespacedLeaseAsync("a", Space, cancellationToken: Cancel);
        Assert.Equal(("Success", "leases", "coordination.k8s.io"), (deleted.Status, deleted.Details.Kind, deleted.Details.Group));
        V1Status missing = await RefusedAsync(
            HttpStatusCode.NotFound, () => Client.CoordinationV1.ReadNamespacedLeaseAsync("a", Space, cancellationToken: Cancel));
        Assert.Equal("leases.coordination.k8s.io \"a\" not found", missing.Message);
    }

    [Fact]
    public async Task A_lease_without_a_duration_is_422()
    {
        V1Lease lease = await CreateAsync("a");
        lease.Spec.LeaseDurationSeconds = 0;
        V1Status status = await RefusedAsync(
            HttpStatusCode.UnprocessableEntity,
            () => Client.CoordinationV1.ReplaceNamespacedLeaseAsync(lease, "a", Space, cancellationToken: Cancel));
        Assert.Equal("spec.leaseDurationSeconds", Assert.Single(status.Details.Causes).Field);
    }

    [Fact]
    public async Task A_put_creates_one_and_replaces_none_without_its_resourceVersion()
    {
        V1LeaseSpec spec = new() { HolderIdentity = "me", LeaseDurationSeconds = 15, RenewTime = Renewed };
        V1Lease lease = new() { Metadata = new() { Name = "a" }, Spec = spec };
        V1Lease created = await Client.CoordinationV1.ReplaceNamespacedLeaseAsync(lease, "a", Space, cancellationToken: Cancel);
        Assert.Equal(("me", Renewed), (created.Spec.HolderIdentity, created.Spec.RenewTime));
        V1Status status = await RefusedAsync(
            HttpStatusCode.UnprocessableEntity,
            () => Client.CoordinationV1.ReplaceNamespacedLeaseAsync(lease, "a", Space, cancellationToken: Cancel));
        Assert.Equal("metadata.resourceVersion", Assert.Single(status.Details.Causes).Field);
        created.Spec.RenewTime = Renewed.AddSeconds(1);
        await Client.CoordinationV1.ReplaceNamespacedLeaseAsync(created, "a", Space, cancellationToken: Cancel);
    }

    [Theory]
    [InlineData(V1Patch.PatchType.MergePatch, """{"spec":{"holderIdentity":"other"}}""")]
    [InlineData(V1Patch.PatchType.StrategicMergePatch, """{"spec":{"holderIdentity":"other"}}""")]
    [InlineData(V1Patch.PatchType.JsonPatch, """[{"op":"replace","path":"/spec/holderIdentity","value":"other"}]""")]
    public async Task A_patch_hands_a_lease_over(V1Patch.PatchType type, string patch)
    {
        await CreateAsync("a");
        V1Lease patched = await Client.CoordinationV1.PatchNamespacedLeaseAsync(new V1Patch(patch, type), "a", Space, cancellationToken: Cancel);
        Assert.Equal(("other", Renewed), (patched.Spec.HolderIdentity, patched.Spec.RenewTime));
    }

    [Fact]
    public async Task They_are_listed_and_watched()
    {
        V1Lease a = await CreateAsync("a");
        await CreateAsync("b");
        V1LeaseList list = await Client.CoordinationV1.ListNamespacedLeaseAsync(Space, cancellationToken: Cancel);
        Assert.Equal(["a", "b"], list.Items.Select(l => l.Name()));
        await using Watched<V1Lease> watch = new(Client.CoordinationV1.WatchListNamespacedLeaseAsync(
            Space, resourceVersion: list.ResourceVersion(), fieldSelector: "metadata.name=a", cancellationToken: Cancel));
        await Client.CoordinationV1.DeleteNamespacedLeaseAsync("b", Space, cancellationToken: Cancel);
        a.Spec.RenewTime = Renewed.AddSeconds(1);
        await Client.CoordinationV1.ReplaceNamespacedLeaseAsync(a, "a", Space, cancellationToken: Cancel);
        var (type, lease) = (await watch.NextAsync())!.Value;
        Assert.Equal((WatchEventType.Modified, "a", a.Spec.RenewTime), (type, lease.Name(), lease.Spec.RenewTime));
    }

    private Task<V1Lease> CreateAsync(string name)
    {
        V1LeaseSpec spec = new() { HolderIdentity = "me", LeaseDurationSeconds = 15, AcquireTime = Renewed, RenewTime = Renewed, LeaseTransitions = 0 };
        return Client.CoordinationV1.CreateNamespacedLeaseAsync(new() { Metadata = new() { Name = name }, Spec = spec }, Space, cancellationToken: Cancel);
    }
}
