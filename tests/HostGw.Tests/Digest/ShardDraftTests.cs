using System.Text;
using HostGw.Digest;
using HostGw.Kubernetes;
using HostGw.Tests.Kubernetes;
using HostGw.Tests.Nodes;

namespace HostGw.Tests.Digest;

/// <summary>ConfigMaps as a real API server once sent them, in whatever pieces they arrive.</summary>
public class ShardDraftTests
{
    private readonly ShardDraft _draft = new();
    private readonly List<string> _seen = [];

    [Fact]
    public void A_recorded_list_is_read_wherever_it_is_cut()
    {
        byte[] list = Answer.Recorded("configmap-list.protobuf").Body;
        for (int cut = 0; cut <= list.Length; cut++)
        {
            _seen.Clear();
            ListWatchDecoder decoder = new(isWatch: false, _draft, type => See(type));
            decoder.Decode(list.AsSpan(NodeText.Feed(decoder, list, [cut])), isFinal: true);

            Assert.Equal(["Added made 509 n1 10.244.2.0/24 172.30.0.11"], _seen);
        }
    }

    [Fact]
    public void A_recorded_streaming_list_ends_with_its_bookmark()
    {
        byte[] events = Answer.Recorded("configmap-streaming-list.protobuf").Body;
        ListWatchDecoder decoder = new(isWatch: true, _draft, type => See(type));
        NodeText.Feed(decoder, events, [100, 200]);

        Assert.Equal("Added made 509 n1 10.244.2.0/24 172.30.0.11", _seen[0]);
        Assert.StartsWith("InitialEventsEnd", _seen[1], StringComparison.Ordinal);
    }

    private void See(WatchEventType type) =>
        _seen.Add($"{type} {_draft.Name} {_draft.ResourceVersion} {Encoding.UTF8.GetString(_draft.Nodes).TrimEnd()}");
}
