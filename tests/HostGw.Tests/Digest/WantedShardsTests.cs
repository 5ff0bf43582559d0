using System.Collections.Immutable;
using System.Text;
using HostGw.Digest;
using HostGw.Planning;
using k8s.Models;

namespace HostGw.Tests.Digest;

public class WantedShardsTests
{
    [Fact]
    public void Whatever_happened_before_the_shards_are_those_of_the_nodes()
    {
        Random random = new(7);
        WantedShards followed = new("pool");
        Dictionary<string, ClusterNode> nodes = [];
        for (int turn = 0; turn < 200; turn++)
        {
            for (int change = random.Next(4); change >= 0; change--)
            {
                // Names of three shards, so that nodes meet in one.
                string name = ShardText.NameIn(random.Next(3) * 100, random.Next(20) * 3000);
                if (random.Next(3) == 0)
                    nodes.Remove(name);
                else
                    nodes[name] = Node(name, random.Next(250));
            }
            ImmutableArray<ClusterNode> sorted = [.. nodes.Values.OrderBy(n => n.Name, StringComparer.Ordinal)];
            followed.Take(sorted);
            WantedShards fresh = new("pool");
            fresh.Take(sorted);
            foreach (int shard in (int[])[0, 100, 200, 300])
            {
                IDictionary<string, string> data = followed.Make(shard, "5").Data;
                Assert.Equal(ShardText.Data(shard, sorted.Where(n => ShardFormat.Home(n.Name) == shard), "pool", 5), data);
                Assert.Equal((fresh.Sum(shard), data["sum"]), (followed.Sum(shard), followed.Sum(shard)));
            }
        }
    }

    [Fact]
    public void A_ConfigMap_names_its_shard_twice_and_carries_the_label_by_which_agents_find_it()
    {
        V1ConfigMap map = new WantedShards("").Make(7, "42");
        Assert.Equal(
            ("v1", "ConfigMap", "hostgw-nodes-007", "hostgw-digest", "nodes", "007"),
            (map.ApiVersion, map.Kind, map.Metadata.Name, map.Metadata.NamespaceProperty, map.Metadata.Labels["hostgw.io/part"],
            map.Data["shard"]));
    }

    // What 5,000 nodes are compared with is a handful of references; only one text is made.
    [Fact]
    public void A_change_of_one_node_among_thousands_allocates_little()
    {
        ImmutableArray<ClusterNode> nodes =
            [.. Enumerable.Range(0, 5000).Select(i => Node($"node-{i:0000}", i % 250)).OrderBy(n => n.Name, StringComparer.Ordinal)];
        WantedShards wanted = new("");
        wanted.Take(nodes);
        ImmutableArray<ClusterNode>[] changes =
            [.. Enumerable.Range(0, 20).Select(i => nodes.SetItem(i, nodes[i] with { CreatedAt = 7 }))];
        wanted.Take(changes[0]);

        long start = GC.GetAllocatedBytesForCurrentThread();
        foreach (ImmutableArray<ClusterNode> change in changes[1..])
            wanted.Take(change);
        long each = (GC.GetAllocatedBytesForCurrentThread() - start) / (changes.Length - 1);

        Assert.True(each < 32 * 1024, $"{each} bytes");
    }

    [Fact]
    public void A_shard_differs_in_its_lines_or_in_its_labels_and_not_in_its_source()
    {
        WantedShards wanted = new("pool");
        wanted.Take([Node(ShardText.NameIn(7), 1)]);
        StoredShard same = Stored(wanted, 7);
        Assert.True(wanted.IsIn(7, same));
        Assert.True(wanted.IsIn(7, Stored(wanted, 7, source: 1)));
        Assert.False(wanted.IsIn(7, same.Gone()));
        WantedShards unlabelled = new("");
        unlabelled.Take([Node(ShardText.NameIn(7), 1)]);
        Assert.False(wanted.IsIn(7, Stored(unlabelled, 7)));
        Assert.False(wanted.IsIn(7, Stored(new WantedShards("pool"), 7)));
        Assert.False(wanted.IsIn(7, new() { ResourceVersion = "1", Labels = "pool", Sum = same.Sum, IsValid = false }));
    }

    private static StoredShard Stored(WantedShards shards, int shard, int source = 100)
    {
        V1ConfigMap map = shards.Make(shard, $"{source}");
        map.Metadata.ResourceVersion = "1";
        return StoredShard.Of(shard, map);
    }

    private static ClusterNode Node(string name, int number) => new()
    {
        Name = name,
        Uid = $"uid-{name}",
        CreatedAt = 1000,
        PodCidrs = [Prefix.Parse($"10.244.{number}.0/24")],
        InternalIPs = [Ip.Parse($"192.0.2.{number}")],
    };
}
