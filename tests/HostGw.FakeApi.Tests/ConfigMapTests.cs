using k8s;
using k8s.Models;

namespace HostGw.FakeApi.Tests;

public sealed class ConfigMapTests : ClientTest
{
    private const string Space = "kube-system";

    [Fact]
    public async Task A_configMap_is_created_read_replaced_and_deleted()
    {
        V1ConfigMap created = await CreateAsync("a", new() { ["key"] = "one" });
        Assert.Equal((Space, "one"), (created.Namespace(), created.Data["key"]));
        V1ConfigMap read = await Client.CoreV1.ReadNamespacedConfigMapAsync("a", Space, cancellationToken: Cancel);
        read.Data["key"] = "two\n\t\"ü😀\"";
        V1ConfigMap replaced = await Client.CoreV1.ReplaceNamespacedConfigMapAsync(read, "a", Space, cancellationToken: Cancel);
        Assert.Equal(read.Data["key"], replaced.Data["key"]);

        V1Status conflict = await RefusedAsync(
            HttpStatusCode.Conflict, () => Client.CoreV1.ReplaceNamespacedConfigMapAsync(created, "a", Space, cancellationToken: Cancel));
        Assert.Equal(("Conflict", "configmaps"), (conflict.Reason, conflict.Details.Kind));
        await Client.CoreV1.DeleteNamespacedConfigMapAsync("a", Space, cancellationToken: Cancel);
        V1Status missing = await RefusedAsync(
            HttpStatusCode.NotFound, () => Client.CoreV1.DeleteNamespacedConfigMapAsync("a", Space, cancellationToken: Cancel));
        Assert.Equal("configmaps \"a\" not found", missing.Message);
    }

    [Theory]
    [InlineData(V1Patch.PatchType.MergePatch, """{"data":{"new":"2","old":null}}""")]
    [InlineData(V1Patch.PatchType.StrategicMergePatch, """{"data":{"new":"2","old":null}}""")]
    [InlineData(V1Patch.PatchType.JsonPatch, """[{"op":"add","path":"/data/new","value":"2"},{"op":"remove","path":"/data/old"}]""")]
    public async Task A_patch_changes_one_key_and_leaves_the_others(V1Patch.PatchType type, string patch)
    {
        await CreateAsync("a", new() { ["old"] = "0", ["kept"] = "1" });
        V1ConfigMap patched = await Client.CoreV1.PatchNamespacedConfigMapAsync(new V1Patch(patch, type), "a", Space, cancellationToken: Cancel);
        Assert.Equal(["kept=1", "new=2"], patched.Data.Select(d => $"{d.Key}={d.Value}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task An_immutable_configMap_keeps_its_data()
    {
        V1ConfigMap fixedOne = new() { Metadata = new() { Name = "a" }, Data = new Dictionary<string, string> { ["key"] = "1" }, Immutable = true };
        fixedOne = await Client.CoreV1.CreateNamespacedConfigMapAsync(fixedOne, Space, cancellationToken: Cancel);
        fixedOne.Data["key"] = "2";
        V1Status status = await RefusedAsync(
            HttpStatusCode.UnprocessableEntity,
            () => Client.CoreV1.ReplaceNamespacedConfigMapAsync(fixedOne, "a", Space, cancellationToken: Cancel));
        Assert.Equal(("FieldValueForbidden", "data"), (Assert.Single(status.Details.Causes).Reason, status.Details.Causes[0].Field));
    }

    [Fact]
    public async Task A_key_that_is_no_file_name_is_422()
    {
        V1Status status = await RefusedAsync(HttpStatusCode.UnprocessableEntity, () => CreateAsync("a", new() { ["a/b"] = "1" }));
        Assert.Equal("data[a/b]", Assert.Single(status.Details.Causes).Field);
    }

    [Fact]
    public async Task They_are_listed_by_namespace_and_label_and_deleted_together()
    {
        await CreateAsync("a", []);
        await CreateAsync("b", [], "shard");
        await Client.CoreV1.CreateNamespacedConfigMapAsync(new() { Metadata = new() { Name = "c" } }, "default", cancellationToken: Cancel);
        Assert.Equal(["a", "b"], Names(await Client.CoreV1.ListNamespacedConfigMapAsync(Space, cancellationToken: Cancel)));
        Assert.Equal(["b"], Names(await Client.CoreV1.ListNamespacedConfigMapAsync(Space, labelSelector: "part=shard", cancellationToken: Cancel)));
        V1ConfigMapList first = await Client.CoreV1.ListConfigMapForAllNamespacesAsync(limit: 1, cancellationToken: Cancel);
        V1ConfigMapList rest = await Client.CoreV1.ListConfigMapForAllNamespacesAsync(continueParameter: first.Continue(), cancellationToken: Cancel);
        Assert.Equal(["c", "a", "b"], [.. Names(first), .. Names(rest)]); // by namespace, then by name

        await Client.CoreV1.DeleteCollectionNamespacedConfigMapAsync(Space, labelSelector: "part=shard", cancellationToken: Cancel);
        Assert.Equal(["a"], Names(await Client.CoreV1.ListNamespacedConfigMapAsync(Space, cancellationToken: Cancel)));
    }

    [Fact]
    public async Task They_are_watched_in_one_namespace()
    {
        await using Watched<V1ConfigMap> watch = new(Client.CoreV1.WatchListNamespacedConfigMapAsync(
            Space, resourceVersion: $"{Api.ResourceVersion}", allowWatchBookmarks: true, cancellationToken: Cancel));
        await Client.CoreV1.CreateNamespacedConfigMapAsync(new() { Metadata = new() { Name = "elsewhere" } }, "default", cancellationToken: Cancel);
        V1ConfigMap created = await CreateAsync("a", new() { ["key"] = "1" });
        created.Data["key"] = "2";
        await Client.CoreV1.ReplaceNamespacedConfigMapAsync(created, "a", Space, cancellationToken: Cancel);
        await Client.CoreV1.DeleteNamespacedConfigMapAsync("a", Space, cancellationToken: Cancel);
        Assert.Equal(["Added a", "Modified a", "Deleted a"], await watch.TakeAsync(3));
        Assert.Equal($"{Api.ResourceVersion}", (await watch.BookmarkAsync()).ResourceVersion());
    }

    [Fact]
    public async Task One_whose_label_changes_leaves_the_watch_by_label_as_it_was()
    {
        await CreateAsync("other", [], "else");
        V1ConfigMap shard = await CreateAsync("a", new() { ["key"] = "1" }, "shard");
        await using Watched<V1ConfigMap> watch = new(Client.CoreV1.WatchListNamespacedConfigMapAsync(
            Space, labelSelector: "part=shard", allowWatchBookmarks: true, sendInitialEvents: true, resourceVersionMatch: "NotOlderThan",
            cancellationToken: Cancel));
        Assert.Equal(["Added a"], await watch.TakeAsync(1));
        Assert.Equal("true", (await watch.BookmarkAsync()).GetAnnotation("k8s.io/initial-events-end"));

        shard.Metadata.Labels["part"] = "else";
        shard.Data["key"] = "2";
        V1ConfigMap moved = await Client.CoreV1.ReplaceNamespacedConfigMapAsync(shard, "a", Space, cancellationToken: Cancel);
        var (type, gone) = (await watch.NextAsync())!.Value;
        Assert.Equal((WatchEventType.Deleted, "a", "shard", "1"), (type, gone.Name(), gone.Labels()["part"], gone.Data["key"]));
        Assert.Equal(moved.ResourceVersion(), gone.ResourceVersion());
        moved.Metadata.Labels["part"] = "shard";
        await Client.CoreV1.ReplaceNamespacedConfigMapAsync(moved, "a", Space, cancellationToken: Cancel);
        Assert.Equal(["Added a"], await watch.TakeAsync(1));
    }

    [Fact]
    public async Task A_put_needs_no_resourceVersion_and_creates_nothing()
    {
        V1ConfigMap content = new() { Metadata = new() { Name = "a" }, Data = new Dictionary<string, string> { ["key"] = "2" } };
        V1Status missing = await RefusedAsync(
            HttpStatusCode.NotFound, () => Client.CoreV1.ReplaceNamespacedConfigMapAsync(content, "a", Space, cancellationToken: Cancel));
        Assert.Equal("configmaps \"a\" not found", missing.Message);
        await CreateAsync("a", new() { ["key"] = "1" });
        V1ConfigMap replaced = await Client.CoreV1.ReplaceNamespacedConfigMapAsync(content, "a", Space, cancellationToken: Cancel);
        Assert.Equal("2", replaced.Data["key"]);
        V1Status exists = await RefusedAsync(HttpStatusCode.Conflict, () => CreateAsync("a", []));
        Assert.Equal(("AlreadyExists", "configmaps \"a\" already exists"), (exists.Reason, exists.Message));
    }

    [Fact]
    public async Task None_is_created_in_a_namespace_that_is_not_there()
    {
        V1ConfigMap map = new() { Metadata = new() { Name = "a" } };
        Task createAsync() => Client.CoreV1.CreateNamespacedConfigMapAsync(map, "digest", cancellationToken: Cancel);
        V1Status missing = await RefusedAsync(HttpStatusCode.NotFound, createAsync);
        Assert.Equal(
            ("namespaces \"digest\" not found", "namespaces", "digest"), (missing.Message, missing.Details.Kind, missing.Details.Name));
        await Client.CoreV1.CreateNamespaceAsync(new() { Metadata = new() { Name = "digest" } }, cancellationToken: Cancel);
        await createAsync();
    }

    [Theory]
    [InlineData(1024 * 1024, 201)]
    [InlineData((1024 * 1024) + 1, 422)]
    [InlineData(3 * 1024 * 1024, 413)]
    public async Task The_data_may_be_one_MiB_and_the_request_three(int bytes, int code)
    {
        Task createAsync() => CreateAsync("a", new() { ["key"] = new('x', bytes) });
        if (code == 201)
            await createAsync();
        else
            Assert.NotEmpty((await RefusedAsync((HttpStatusCode)code, createAsync)).Message);
    }

    [Fact]
    public async Task What_etcd_would_not_store_is_500_in_its_words()
    {
        V1EndpointSlice slice = new()
        {
            Metadata = new() { Name = "a" },
            AddressType = "IPv4",
            Endpoints = [new() { Addresses = ["192.0.2.1"], Hostname = new('x', 3 * 512 * 1024) }],
        };
        V1Status status = await RefusedAsync(
            HttpStatusCode.InternalServerError,
            () => Client.DiscoveryV1.CreateNamespacedEndpointSliceAsync(slice, Space, cancellationToken: Cancel));
        Assert.Equal(("etcdserver: request is too large", null), (status.Message, status.Reason));
    }

    private static string[] Names(V1ConfigMapList list) => [.. list.Items.Select(i => i.Name())];

    private Task<V1ConfigMap> CreateAsync(string name, Dictionary<string, string> data, string? part = null) =>
        Client.CoreV1.CreateNamespacedConfigMapAsync(
            new() { Metadata = new() { Name = name, Labels = part is null ? null : new Dictionary<string, string> { ["part"] = part } }, Data = data },
            Space, cancellationToken: Cancel);
}
