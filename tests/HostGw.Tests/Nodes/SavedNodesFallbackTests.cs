using System.Collections.Immutable;
using HostGw.Nodes;
using HostGw.Planning;
using HostGw.Tests.Hosting;
using HostGw.Tests.Kubernetes;
using HostGw.Tests.Planning;
using HostGw.Tests.Reconciliation;
using NodeSnapshot = HostGw.Nodes.NodeSnapshot;

namespace HostGw.Tests.Nodes;

/// <summary>When nodes are saved, and when the saved ones stand in for the API server.</summary>
public sealed class SavedNodesFallbackTests : IAsyncLifetime
{
    private static readonly DigestHealth Part = new([], IsPartial: true, Source: 42);
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(10);

    private readonly TemporaryFolder _folder = new();
    private readonly ManualTime _time = new();
    private readonly NodeStore _store = new();
    private readonly LogLines _log = new();
    private readonly SavedNodesFile _file;
    private readonly NodeSaver _saver;
    private readonly SavedNodesFallback _good;
    private DateTimeOffset? _heardAt;
    private ImmutableArray<IPEndPoint> _servers = [];
    private int _changes;

    public SavedNodesFallbackTests()
    {
        _file = new(_folder[""], NodeSelector.Everything);
        _saver = new(_file, _store, "self", new(() => new(_heardAt, _heardAt, null, 0), () => Ip.Parse("10.9.9.9"), () => _servers), _time, new Typed<NodeSaver>(_log));
        _good = new(_file, _store, "self", () => _changes++, _time, new Typed<SavedNodesFallback>(_log));
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Nodes_are_saved_when_they_changed_and_not_when_they_did_not()
    {
        await _saver.StartAsync(TestContext.Current.CancellationToken);
        await LookAsync();
        Assert.False(File.Exists(_file.Path));

        List("self", "b");
        await LookAsync();
        Assert.Equal("b self", Saved());

        File.WriteAllText(_file.Path, "untouched");
        Heartbeat();
        await LookAsync();
        Assert.Equal("untouched", File.ReadAllText(_file.Path));

        List("self", "b", "c");
        await LookAsync();
        Assert.Equal("b c self", Saved());
    }

    [Fact]
    public async Task The_API_servers_addresses_are_saved_with_them_and_when_they_change()
    {
        _servers = [IPEndPoint.Parse("10.0.0.5:6443")];
        await _saver.StartAsync(TestContext.Current.CancellationToken);
        List("self");
        await LookAsync();
        Assert.Equal(_servers, Read().ApiServers);

        File.WriteAllText(_file.Path, "untouched");
        await LookAsync();
        Assert.Equal("untouched", File.ReadAllText(_file.Path));

        _servers = [IPEndPoint.Parse("10.0.0.6:6443"), IPEndPoint.Parse("[fd00::6]:6443")];
        await LookAsync();
        Assert.Equal(_servers, Read().ApiServers);
    }

    [Fact]
    public async Task Once_an_hour_they_are_saved_again_as_long_as_the_API_server_is_heard()
    {
        await _saver.StartAsync(TestContext.Current.CancellationToken);
        List("self");
        await LookAsync();
        File.Delete(_file.Path);

        await LookAsync(TimeSpan.FromHours(2));
        Assert.False(File.Exists(_file.Path));

        Heartbeat();
        await LookAsync();
        Assert.Equal(_heardAt!.Value, Read().At);
    }

    [Fact]
    public async Task A_list_without_this_node_does_not_take_the_place_of_one_with_it()
    {
        await _saver.StartAsync(TestContext.Current.CancellationToken);
        List("self", "b");
        await LookAsync();
        List("b");
        await LookAsync();
        Assert.Equal("b self", Saved());
    }

    // It may last for weeks, and a file that is not renewed is useless after a day.
    [Theory]
    [InlineData(null, null, 0)]
    [InlineData(5, null, 5)]
    [InlineData(5, 23, 23)]
    [InlineData(5, 25, 0)]
    [InlineData(25, null, 0)]
    public async Task Nodes_of_a_digest_of_which_a_part_was_never_read_are_saved_with_how_old_they_may_be(
        int? savedHoursAgo, int? partialForHours, int oldest)
    {
        DateTimeOffset start = _time.GetUtcNow();
        if (savedHoursAgo is { } hours)
        {
            Write(start.AddHours(-hours), "self", "c");
            if (partialForHours is { } partial)
                _file.Write(Read() with { PartialFrom = start.AddHours(-partial) });
        }
        await _saver.StartAsync(TestContext.Current.CancellationToken);
        Heartbeat();
        DateTimeOffset first = _heardAt!.Value;
        _store.TakeAll(Named("self", "b"), "8", byQuorum: false, _ => Part);
        await LookAsync();
        DateTimeOffset from = oldest == 0 ? first : start.AddHours(-oldest);
        Assert.Equal(("b self", first, from), (Saved(), Read().At, Read().PartialFrom));

        await LookAsync(TimeSpan.FromHours(2));
        Heartbeat();
        await LookAsync();
        Assert.Equal((_heardAt!.Value, from), (Read().At, Read().PartialFrom));

        _store.UpdateDigest(_ => Part with { IsPartial = false });
        await LookAsync();
        Assert.Equal(("b self", null), (Saved(), Read().PartialFrom));
    }

    [Theory]
    [InlineData(24, true)]
    [InlineData(25, false)]
    public void For_a_part_of_the_digest_no_nodes_stand_that_may_be_older_than_a_day(int hours, bool isUsed)
    {
        Write(_time.GetUtcNow(), "self", "b");
        _file.Write(Read() with { PartialFrom = _time.GetUtcNow().AddHours(-hours) });
        Assert.Equal(isUsed, _file.LastKnown(_time) is not null);
    }

    [Fact]
    public async Task What_was_saved_as_a_part_is_one_when_it_stands_in_and_a_list_of_all_Nodes_is_none()
    {
        Write(_time.GetUtcNow(), "self", "b");
        _file.Write(Read() with { PartialFrom = _time.GetUtcNow() });
        await StartAsync();
        _time.Advance(TimeSpan.FromSeconds(1));
        await _good.ExecuteTask!;
        Assert.True(_store.Snapshot.IsPartial);

        List("self", "b");
        Assert.Null(_store.Snapshot.Digest);
    }

    [Fact]
    public async Task What_was_restored_is_not_saved_as_if_it_had_been_heard()
    {
        Write(_time.GetUtcNow().AddHours(-23), "self");
        Assert.True(_store.Restore(Read()));
        byte[] before = File.ReadAllBytes(_file.Path);
        Heartbeat();
        await _saver.StartAsync(TestContext.Current.CancellationToken);
        await LookAsync();
        Assert.Equal(before, File.ReadAllBytes(_file.Path));
    }

    [Fact]
    public async Task A_directory_that_cannot_be_written_is_said_once_and_tried_again()
    {
        string inTheWay = Path.Combine(_folder[""], "nodes");
        Directory.CreateDirectory(inTheWay);
        File.WriteAllText(Path.Combine(inTheWay, "x"), "");
        await _saver.StartAsync(TestContext.Current.CancellationToken);
        List("self");
        await LookAsync();
        await LookAsync(TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1));
        await LookAsync(TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1));
        Assert.StartsWith($"Warning 121 Cannot save the nodes in {inTheWay}", Assert.Single(_log.Take()), StringComparison.Ordinal);

        Directory.Delete(inTheWay, recursive: true);
        await LookAsync(TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1));
        Assert.Equal("self", Saved());
        Assert.Equal([$"Information 122 The nodes are saved in {inTheWay} again"], _log.Take());
    }

    [Fact]
    public async Task After_ten_seconds_without_a_list_the_saved_nodes_stand_in_until_one_comes()
    {
        Write(_time.GetUtcNow(), "self", "b");
        await StartAsync();
        Assert.False(_store.Snapshot.IsComplete);

        _time.Advance(TimeSpan.FromSeconds(1));
        await _good.ExecuteTask!;
        Assert.Equal((1, true, "b self", "7"), (_changes, _store.Snapshot.IsComplete, Names(_store.Snapshot.Nodes), _store.ResourceVersion));
        Assert.Equal(_time.GetUtcNow().AddSeconds(-10), _store.Snapshot.SavedAt);
        Assert.Equal("10.9.9.9", _good.ApiServer.ToString());

        List("self", "b");
        Assert.Null(_store.Snapshot.SavedAt);
        Assert.Equal("8", _store.ResourceVersion);
    }

    [Fact]
    public async Task A_list_that_came_in_time_is_never_replaced()
    {
        Write(_time.GetUtcNow(), "self", "old");
        await StartAsync();
        List("self", "new");
        _time.Advance(TimeSpan.FromSeconds(1));
        await _good.ExecuteTask!;
        Assert.Equal((0, "new self"), (_changes, Names(_store.Snapshot.Nodes)));
        Assert.False(_store.Restore(Read()));
        Assert.True(_good.ApiServer.IsNone);
    }

    [Theory]
    [InlineData("", "b", "it has no node 'self'")]
    [InlineData("25", "self", "more than 24 h ago")]
    [InlineData("damaged", "self", "its checksum is wrong")]
    public async Task What_cannot_be_used_is_said_and_not_used(string how, string name, string reason)
    {
        Write(_time.GetUtcNow().AddHours(how == "25" ? -25 : 0), name);
        if (how == "damaged")
            File.WriteAllText(_file.Path, File.ReadAllText(_file.Path).Replace("self", "s3lf", StringComparison.Ordinal));
        await StartAsync();
        _time.Advance(TimeSpan.FromSeconds(1));
        await _good.ExecuteTask!;
        Assert.False(_store.Snapshot.IsComplete);
        string line = Assert.Single(_log.Take());
        Assert.StartsWith($"Warning 123 The API server does not answer, and the nodes saved in {_file.Path} cannot be used: ", line, StringComparison.Ordinal);
        Assert.EndsWith(reason, line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_saved_is_nothing_to_speak_of()
    {
        await StartAsync();
        _time.Advance(TimeSpan.FromSeconds(1));
        await _good.ExecuteTask!;
        Assert.Empty(_log.Take());
        Assert.False(_store.Snapshot.IsComplete);
    }

    public async ValueTask DisposeAsync()
    {
        await _saver.StopAsync(CancellationToken.None);
        _saver.Dispose();
        _good.Dispose();
        _folder.Dispose();
    }

    // Until a second before its patience ends.
    private async Task StartAsync()
    {
        await _good.StartAsync(TestContext.Current.CancellationToken);
        await _time.AwaitedAsync(TimeSpan.FromSeconds(10));
        _time.Advance(TimeSpan.FromSeconds(9));
    }

    private async Task LookAsync(TimeSpan? after = null, TimeSpan? awaited = null)
    {
        await _time.AwaitedAsync(awaited ?? Period);
        _time.Advance(after ?? Period);
        while (_time.Pending().Length == 0)
            await Task.Yield();
    }

    private void Heartbeat() => _heardAt = _time.GetUtcNow();

    private void List(params string[] names)
    {
        Heartbeat();
        _store.BeginList();
        NodeDraft draft = new(NodeSelector.Everything);
        foreach (string name in names)
        {
            draft.Clear();
            draft.Name.Set(name);
            draft.Complete();
            _store.AddListed(draft);
        }
        _store.CompleteList("8");
    }

    private void Write(DateTimeOffset at, params string[] names) =>
        _file.Write(new SavedNodes([.. Named(names)], "7", at, Ip.Parse("10.9.9.9")));

    private static IEnumerable<ClusterNode> Named(params string[] names) =>
        names.Order(StringComparer.Ordinal).Select(n => new ClusterNode { Name = n, Uid = "", CreatedAt = long.MaxValue });

    private SavedNodes Read() => _file.Read(_time.GetUtcNow())!;

    private string Saved() => Names(Read().Nodes);

    private static string Names(ImmutableArray<ClusterNode> nodes) => string.Join(' ', nodes.Select(n => n.Name));
}
