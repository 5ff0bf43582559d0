using System.Text;
using HostGw.FakeApi;
using HostGw.Kubernetes;
using HostGw.Nodes;
using NodeSnapshot = HostGw.Nodes.NodeSnapshot;

namespace HostGw.Tests.Nodes;

public class HeartbeatTests
{
    [Fact]
    public void A_thousand_heartbeats_change_nothing_and_allocate_nothing()
    {
        byte[] frame = NodeProtobuf.Frame("MODIFIED", Node());
        var store = new NodeStore();
        NodeDraft draft = new(NodeText.Selector, "node-1");
        int changes = 0;
        ListWatchDecoder decoder = new(isWatch: true, draft, type => changes += store.Apply(type, draft) ? 1 : 0);

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

    private static void Beat(ListWatchDecoder decoder, byte[] frame, int times)
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
