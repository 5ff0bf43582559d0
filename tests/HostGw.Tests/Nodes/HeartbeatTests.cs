using System.Text;
using HostGw.FakeApi;
using HostGw.Nodes;
using NodeSnapshot = HostGw.Nodes.NodeSnapshot;

namespace HostGw.Tests.Nodes;

public class HeartbeatTests
{
    [Fact]
    public void A_thousand_heartbeats_as_json_change_nothing_and_allocate_nothing() =>
        Check(sink => new NodeJsonDecoder(JsonPlace.Event, new(NodeJson.Selector), sink), Encoding.UTF8.GetBytes($$"""{"type":"MODIFIED","object":{{Node()}}}""" + "\n"));

    [Fact]
    public void A_thousand_heartbeats_as_protobuf_change_nothing_and_allocate_nothing() =>
        Check(sink => new NodeProtobufDecoder(ProtobufPlace.Event, new(NodeJson.Selector), sink), NodeProtobuf.Frame("MODIFIED", Node()));

    private static void Check(Func<Action<WatchEventType, NodeDraft>, INodeDecoder> create, byte[] frame)
    {
        var store = new NodeStore();
        int changes = 0;
        INodeDecoder decoder = create((type, draft) => changes += store.Apply(type, draft) ? 1 : 0);

        Beat(decoder, frame, 10);
        NodeSnapshot before = store.Snapshot;
        long start = GC.GetAllocatedBytesForCurrentThread();
        Beat(decoder, frame, 1000);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - start;

        Assert.Equal(1, changes);
        Assert.Equal("node-1", Assert.Single(before.Nodes).Name);
        Assert.Same(before, store.Snapshot);
        Assert.True(allocated < 1, $"{allocated} bytes for 1,000 heartbeats");
    }

    private static void Beat(INodeDecoder decoder, byte[] frame, int times)
    {
        for (int i = 0; i < times; i++)
        {
            // In two pieces, as the network has it.
            int consumed = decoder.Decode(frame.AsSpan(0, frame.Length / 2), isFinal: false);
            decoder.Decode(frame.AsSpan(consumed), isFinal: false);
        }
    }

    private static string Node() => new NodeSpec("node-1")
    {
        Realistic = true,
        Uid = "0f3c8e0e-8d5c-4f0e-9c53-2a2f6c1f6d11",
        CreatedAt = DateTimeOffset.UnixEpoch,
        PodCidrs = ["10.244.1.0/24", "fd00:10:244:1::/64", "broken"],
        InternalIPs = ["192.0.2.1", "2001:db8::1"],
        ExternalIPs = ["198.51.100.1"],
        OperatingSystem = "Plan9",
        Labels = new Dictionary<string, string> { ["pool"] = "blue" },
        Annotations = new Dictionary<string, string> { ["hostgw.io/next-hop"] = "192.0.2.7", ["hostgw.io/skip"] = "true" },
    }.ToJson();
}
