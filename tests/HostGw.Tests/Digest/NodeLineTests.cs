using System.Text;
using FsCheck;
using FsCheck.Fluent;
using HostGw.Digest;
using HostGw.Kubernetes;
using HostGw.Nodes;
using HostGw.Planning;
using HostGw.Tests.Nodes;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Digest;

/// <summary>What planning sees of a Node survives its line in a shard.</summary>
public class NodeLineTests
{
    private readonly NodeDraft _draft = new(NodeText.Selector);

    [Fact]
    public void It_is_written_as_docs_say() => Assert.Equal(
        "a\t3f0e\tlinux\t1700000000\t10.244.1.0/24,fd00::/64,bad%25%2C\tInternalIP=10.0.0.1,ExternalIP=2001:db8::1\t=10.0.0.9%2Cfd00::9\t=true\tpool=a,zone=b%3D",
        Line(new()
        {
            Name = "a",
            Uid = "3f0e",
            CreatedAt = 1_700_000_000,
            PodCidrs = [Prefix.Parse("10.244.1.0/24"), Prefix.Parse("fd00::/64")],
            UnreadablePodCidrs = ["bad%,"],
            InternalIPs = [Ip.Parse("10.0.0.1")],
            ExternalIPs = [Ip.Parse("2001:db8::1")],
            NextHopOverride = [Ip.Parse("10.0.0.9"), Ip.Parse("fd00::9")],
            Skip = true,
            Labels = [new("zone", "b="), new("pool", "a")],
        }));

    [Fact]
    public void One_that_has_nothing_is_short() => Assert.Equal(
        "a\t\tlinux\t\t\t\t\t\t", Line(new() { Name = "a", Uid = "", CreatedAt = long.MaxValue }));

    // As the decoder builds it from whatever text the API server may send.
    [Fact]
    public void Any_node_survives() => Always.Holds(
        AnyNode.Any,
        any =>
        {
            NodeDraft sent = new(NodeText.Selector);
            var decoder = new ListWatchDecoder(isWatch: false, sent, _ => { });
            byte[] list = NodeProtobuf.ListOf("5", any.ToJson());
            decoder.Decode(list.AsSpan(NodeText.Feed(decoder, list, [])), isFinal: true);
            if (sent.Name.IsEmpty)
                return;
            ClusterNode node = sent.Build();
            // An empty podCIDR is none.
            node = node with { UnreadablePodCidrs = [.. node.UnreadablePodCidrs.Where(c => c.Length > 0)] };

            Assert.Null(Read(Line(node)));
            Assert.Equal(NodeText.Text(node), NodeText.Text(_draft.Build()));
            Assert.DoesNotContain("\n", Line(node), StringComparison.Ordinal);
        },
        count: 2000);

    [Theory]
    [InlineData("")]
    [InlineData("a\t\tlinux\t\t\t\t\t")]
    [InlineData("a\t\tlinux\t\t\t\t\t\t\t")]
    [InlineData("\t\tlinux\t\t\t\t\t\t")]
    [InlineData("a\t\tlinux\tx\t\t\t\t\t")]
    [InlineData("a\t\tlinux\t\t10.244.0.0%2\t\t\t\t")]
    [InlineData("a\t\tlinux\t\t\t10.0.0.1\t\t\t")]
    [InlineData("a\t\tlinux\t\t\t\t10.0.0.9\t\t")]
    [InlineData("a\t\tlinux\t\t\t\t\ttrue\t")]
    [InlineData("a\t\tlinux\t\t\t\t\t\tpool")]
    [InlineData("a%zz\t\tlinux\t\t\t\t\t\t")]
    public void What_is_no_line_is_refused(string line) => Assert.NotNull(Read(line));

    [Fact]
    public void A_text_that_is_longer_than_the_decoder_takes_is_refused()
    {
        Assert.Null(Read($"{new string('a', ListWatchDecoder.MaxText)}\t\tlinux\t\t\t\t\t\t"));
        Assert.NotNull(Read($"{new string('a', ListWatchDecoder.MaxText + 1)}\t\tlinux\t\t\t\t\t\t"));
    }

    [Fact]
    public void What_is_not_printable_is_escaped_and_a_time_may_be_of_before_1970()
    {
        string line = Line(new() { Name = "a", Uid = "\t\n\u001f\u007fé~", CreatedAt = -5 });
        Assert.Equal("a\t%09%0A%1F%7F%C3%A9~\tlinux\t-5\t\t\t\t\t", line);
        Assert.Null(Read(line));
        Assert.Equal(-5, _draft.Build().CreatedAt);
    }

    private static string Line(ClusterNode node)
    {
        StringBuilder text = new();
        NodeLine.Write(text, node);
        return text.ToString();
    }

    private string? Read(string line)
    {
        _draft.Clear();
        return NodeLine.Read(line, _draft);
    }
}
