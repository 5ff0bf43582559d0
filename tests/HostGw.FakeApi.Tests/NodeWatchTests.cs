using k8s;
using k8s.Models;

namespace HostGw.FakeApi.Tests;

public sealed class NodeWatchTests : ClientTest
{
    [Fact]
    public async Task A_watch_tells_of_nodes_that_come_change_and_go()
    {
        PutNodes("a");
        await using Watched<V1Node> watch = Watch(resourceVersion: $"{Api.ResourceVersion}");
        Api.Nodes.Put(new NodeSpec("b") { PodCidrs = ["10.244.1.0/24"] });
        var (type, added) = (await watch.NextAsync())!.Value;
        Assert.Equal((WatchEventType.Added, "b", "10.244.1.0/24"), (type, added.Name(), added.Spec.PodCIDR));
        Assert.Equal($"{Api.ResourceVersion}", added.ResourceVersion());
        Api.Nodes.Heartbeat("a");
        Api.Nodes.Delete("b");
        Assert.Equal(["Modified a", "Deleted b"], await watch.TakeAsync(2));
    }

    [Fact]
    public async Task A_watch_without_a_version_begins_with_what_is_there()
    {
        PutNodes("a", "b");
        await using Watched<V1Node> watch = Watch();
        Assert.Equal(["Added a", "Added b"], await watch.TakeAsync(2));
    }

    [Fact]
    public async Task A_bookmark_carries_the_version_up_to_which_everything_was_told()
    {
        PutNodes("a");
        await using Watched<V1Node> watch = Watch(resourceVersion: $"{Api.ResourceVersion}", bookmarks: true);
        Assert.Equal($"{Api.ResourceVersion}", (await watch.BookmarkAsync()).ResourceVersion());
        Api.Nodes.Heartbeat("a");
        Assert.Equal(["Modified a"], await watch.TakeAsync(1));
        Assert.Equal($"{Api.ResourceVersion}", (await watch.BookmarkAsync()).ResourceVersion());
    }

    [Fact]
    public async Task A_streaming_list_ends_with_a_bookmark_that_says_so()
    {
        PutNodes("a", "b");
        await using Watched<V1Node> watch = new(Client.CoreV1.WatchListNodeAsync(
            allowWatchBookmarks: true, sendInitialEvents: true, resourceVersionMatch: "NotOlderThan", cancellationToken: Cancel));
        Assert.Equal(["Added a", "Added b"], [$"{await NextAsync(watch)}", $"{await NextAsync(watch)}"]);
        V1Node end = await watch.BookmarkAsync();
        Assert.Equal(("true", $"{Api.ResourceVersion}"), (end.GetAnnotation("k8s.io/initial-events-end"), end.ResourceVersion()));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_version_that_expired_is_an_error_with_code_410(bool meanwhile)
    {
        PutNodes("a");
        string version = $"{Api.ResourceVersion}";
        if (!meanwhile)
            Api.CompactHistory();
        List<Exception> errors = [];
        await using Watched<V1Node> watch = Watch(resourceVersion: version, onError: errors.Add);
        if (meanwhile)
        {
            PutNodes("b");
            Assert.Equal(["Added b"], await watch.TakeAsync(1));
            Api.ExpireWatches();
        }
        Assert.Null(await watch.NextAsync());
        V1Status status = Assert.IsType<KubernetesException>(Assert.Single(errors)).Status;
        Assert.Equal((410, "Expired"), (status.Code, status.Reason));
    }

    [Fact]
    public async Task With_a_selector_a_node_comes_and_goes_as_it_begins_and_ceases_to_match()
    {
        PutNodes("a", "b");
        await using Watched<V1Node> watch = new(Client.CoreV1.WatchListNodeAsync(
            labelSelector: "zone=x", resourceVersion: $"{Api.ResourceVersion}", cancellationToken: Cancel));
        Api.Nodes.Patch("a", """{"metadata":{"labels":{"zone":"x"}}}""");
        Api.Nodes.Heartbeat("b");
        Api.Nodes.Patch("a", """{"metadata":{"labels":{"zone":"y"}}}""");
        Assert.Equal(["Added a", "Deleted a"], await watch.TakeAsync(2));
    }

    [Fact]
    public async Task A_watch_ends_when_its_time_is_over()
    {
        PutNodes("a");
        await using Watched<V1Node> watch = new(Client.CoreV1.WatchListNodeAsync(timeoutSeconds: 1, cancellationToken: Cancel));
        Assert.Equal(["Added a", "end"], await watch.TakeAsync(2));
    }

    private static async Task<string> NextAsync(Watched<V1Node> watch)
    {
        var (type, node) = (await watch.NextAsync())!.Value;
        return $"{type} {node.Name()}";
    }

    private Watched<V1Node> Watch(string? resourceVersion = null, bool? bookmarks = null, Action<Exception>? onError = null) => new(
        Client.CoreV1.WatchListNodeAsync(
            allowWatchBookmarks: bookmarks, resourceVersion: resourceVersion, onError: onError, cancellationToken: Cancel));
}
