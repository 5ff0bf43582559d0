using FsCheck;
using FsCheck.Fluent;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Nodes;

/// <summary>Any text in any field of a Node survives the wire, however it is cut into pieces.</summary>
public class NodeTextPropertyTests
{
    private static readonly Gen<int[]> Cuts = Gen.Choose(0, 5000).ArrayOf();

    [Fact]
    public void Text_survives_as_the_server_encodes_it() => Always.Holds(
        from node in AnyNode.Any from cuts in Cuts select (node, cuts),
        c =>
        {
            byte[] list = NodeProtobuf.ListOf("5", c.node.ToJson());
            Assert.Equal([c.node.Expected(), "5/"], NodeProtobuf.List(list, Within(list, c.cuts)));
        },
        count: 2000);

    [Fact]
    public void Text_survives_in_any_order_with_unknown_fields_and_the_last_of_repeated_ones_counts() => Always.Holds(
        from node in AnyNode.Any
        from other in AnyNode.Any
        from seed in Gen.Choose(0, int.MaxValue)
        from cuts in Cuts
        select (node, other, seed, cuts),
        c =>
        {
            ShuffledProtobuf shuffled = new(c.seed);
            byte[] list = NodeProtobuf.ListOfEncoded("5", shuffled.Encode(c.node), shuffled.Encode(c.other));
            Assert.Equal([c.node.Expected(), c.other.Expected(), "5/"], NodeProtobuf.List(list, Within(list, c.cuts)));
        },
        count: 2000);

    private static int[] Within(byte[] bytes, int[] cuts) => [.. cuts.Select(c => c % (bytes.Length + 1))];
}
