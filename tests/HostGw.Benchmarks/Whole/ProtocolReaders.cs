using System.Diagnostics;
using HostGw.Kubernetes;
using HostGw.Nodes;
using Microsoft.Extensions.Logging.Abstractions;

namespace HostGw.Benchmarks.Whole;

/// <summary>Agents without a host: each has a connection, a reflector and a store of its own, all in this process.</summary>
internal sealed class ProtocolReaders : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Reader> _readers = [];

    public ProtocolReaders(Site site, int count)
    {
        var configuration = ApiConfiguration.BuildConfigFromConfigFile(site.Kubeconfig, site.LocalServer.ToString());
        for (int i = 0; i < count; i++)
            _readers.Add(new(configuration, _stop.Token));
    }

    /// <summary>For each reader the moment, as a Stopwatch timestamp, at which it knows so many Nodes.</summary>
    public Task<long[]> KnowAsync(int nodes) => Task.WhenAll(_readers.Select(reader => reader.KnowsAsync(nodes)));

    public void Dispose()
    {
        _stop.Cancel();
        _readers.ForEach(reader => reader.Dispose());
        _stop.Dispose();
    }

    private sealed class Reader : IDisposable
    {
        private readonly NodeStore _store = new();
        private readonly ApiClient _client;
        private readonly Reflector<NodeDraft> _reflector;
        private readonly Lock _lock = new();
        private (int Nodes, TaskCompletionSource<long> Known)? _awaited;

        public Reader(ApiConfiguration configuration, CancellationToken stop)
        {
            _client = new(configuration, "0", TimeProvider.System);
            NodeDraft draft = new(new([]), "");
            ListWatch<NodeDraft> api = new(_client, "/api/v1/nodes", draft, NamedObject.Node("node-00001"), TimeProvider.System);
            _reflector = new(api, _store, Check, TimeProvider.System, NullLogger.Instance);
            _ = _reflector.RunAsync(stop);
        }

        public Task<long> KnowsAsync(int nodes)
        {
            TaskCompletionSource<long> known = new(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (_lock)
                _awaited = (nodes, known);
            Check();
            return known.Task;
        }

        public void Dispose()
        {
            _reflector.Dispose();
            _client.Dispose();
        }

        private void Check()
        {
            lock (_lock)
            {
                if (_awaited is { } awaited && _store.Count == awaited.Nodes)
                    awaited.Known.TrySetResult(Stopwatch.GetTimestamp());
            }
        }
    }
}
