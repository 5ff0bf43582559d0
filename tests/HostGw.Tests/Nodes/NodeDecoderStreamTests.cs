using System.Text;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using HostGw.Kubernetes;
using HostGw.Nodes;

namespace HostGw.Tests.Nodes;

public class NodeDecoderStreamTests
{
    private static readonly string[] Nodes = [.. NodeDecoderTests.Nodes.Select(row => row.Data.Item2)];
    private static readonly byte[] Frames = [.. Nodes.SelectMany((node, i) => NodeProtobuf.Frame(i % 2 == 0 ? "MODIFIED" : "ADDED", node))];
    private static readonly byte[] List = NodeProtobuf.ListOf("5", [.. Nodes.Where(n => n.Length < 2000)]);

    [Fact]
    public void Any_split_of_the_bytes_gives_the_same_events()
    {
        string[] whole = NodeProtobuf.Events(Frames);
        Assert.Equal(Nodes.Length, whole.Length);

        Gen<int[]> cuts = Gen.Choose(0, Frames.Length).ArrayOf();
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(300), Prop.ForAll(cuts.ToArbitrary(), c => whole.SequenceEqual(NodeProtobuf.Events(Frames, c))));
    }

    [Fact]
    public void Byte_by_byte_gives_the_same_events_and_nodes()
    {
        Assert.Equal(NodeProtobuf.Events(Frames), NodeProtobuf.Events(Frames, [.. Enumerable.Range(0, Frames.Length)]));
        Assert.Equal(NodeProtobuf.List(List), NodeProtobuf.List(List, [.. Enumerable.Range(0, List.Length)]));
    }

    [Fact]
    public async Task A_list_that_breaks_off_is_an_error_at_every_byte()
    {
        // After the list itself come four bytes that say nothing.
        for (int length = 0; length < List.Length - 4; length++)
        {
            using ApiResponse part = NodeProtobuf.Response(List[..length]);
            await Assert.ThrowsAsync<InvalidAnswerException>(
                () => new ListWatchDecoder(isWatch: false, new NodeDraft(NodeText.Selector), _ => { }).ReadAsync(part, TestContext.Current.CancellationToken));
        }
        Assert.NotEmpty(NodeProtobuf.List(List[..^4]));
    }

    [Fact]
    public async Task A_watch_that_breaks_off_has_told_what_was_whole()
    {
        string[] whole = NodeProtobuf.Events(Frames);
        for (int length = 0; length < Frames.Length; length += 7)
        {
            List<string> told = [];
            using ApiResponse part = NodeProtobuf.Response(Frames[..length]);
            NodeDraft draft = new(NodeText.Selector);
            await new ListWatchDecoder(isWatch: true, draft, type => told.Add($"{type} {draft.ResourceVersion} {NodeText.Text(draft.Build())}"))
                .ReadAsync(part, TestContext.Current.CancellationToken);
            Assert.Equal(whole[..told.Count], told);
        }
    }

    [Fact]
    public void Broken_bytes_never_do_more_than_throw_a_stream_error()
    {
        var changes = Gen.Choose(0, Math.Min(List.Length, Frames.Length) - 1).Zip(Gen.Choose(0, 255)).ArrayOf(3);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(3000), Prop.ForAll(changes.ToArbitrary(), c =>
            IsHarmless(() => NodeProtobuf.List(Changed(List, c))) && IsHarmless(() => NodeProtobuf.Events(Changed(Frames, c)))));
    }

    [Fact]
    public void Random_bytes_never_do_more_than_throw_a_stream_error()
    {
        Gen<byte[]> bytes = Gen.Choose(0, 255).Select(b => (byte)b).ArrayOf();
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(3000), Prop.ForAll(bytes.ToArbitrary(), b =>
            IsHarmless(() => NodeProtobuf.Events(b)) && IsHarmless(() => NodeProtobuf.Events([0, 0, 0, (byte)b.Length, .. b])) && IsHarmless(() => NodeProtobuf.List([.. "k8s\0"u8, .. b]))));
    }

    [Theory]
    [InlineData("nothing", "")]
    [InlineData("another magic number", "6B387301")]
    [InlineData("no list", "6B387300")]
    [InlineData("an envelope of nothing", "6B387300" + "1200")]
    [InlineData("no resource version", "6B387300" + "1205" + "0A031A0178")]
    [InlineData("a Status", "6B387300" + "0A08" + "1206537461747573" + "1205" + "0A03120135")]
    [InlineData("a field that is longer than its message", "6B387300" + "1205" + "0A05120135" + "1A00")]
    [InlineData("a field whose header is longer than its message", "6B387300" + "1205" + "0A03120135" + "1206" + "0A03" + "0A0161" + "12" + "00")]
    [InlineData("a number without an end", "6B387300" + "08FFFFFFFFFFFFFFFFFFFFFFFF")]
    [InlineData("a group", "6B387300" + "1205" + "0A03120135" + "0B")]
    [InlineData("field 0", "6B387300" + "1205" + "0A03120135" + "0200")]
    [InlineData("a list and the beginning of another", "6B387300" + "1205" + "0A03120135" + "1205" + "0A03")]
    public void A_broken_list_is_no_list(string because, string hex) =>
        Assert.True(Record.Exception(() => NodeProtobuf.List(Convert.FromHexString(hex))) is InvalidAnswerException, because);

    [Theory]
    [InlineData("an object without an envelope", "00000004" + "1202" + "0A00")]
    [InlineData("an object shorter than the magic number", "00000006" + "1204" + "0A02" + "6B38")]
    [InlineData("a frame with an envelope", "00000006" + "6B387300" + "1200")]
    [InlineData("a field that is longer than its frame", "00000002" + "0A0541")]
    [InlineData("a header that is longer than its frame", "00000001" + "0A01" + "00")]
    public void A_broken_frame_is_an_error(string because, string hex) =>
        Assert.True(Record.Exception(() => NodeProtobuf.Events(Convert.FromHexString(hex))) is InvalidAnswerException, because);

    private static bool IsHarmless(Action read)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        Exception? e = Record.Exception(read);
        return e is null or InvalidAnswerException or ApiException && GC.GetAllocatedBytesForCurrentThread() - before < 50 * (Frames.Length + 10_000);
    }

    private static byte[] Changed(byte[] bytes, (int At, int Value)[] changes)
    {
        byte[] changed = [.. bytes];
        foreach ((int at, int value) in changes)
            changed[at] = (byte)value;
        return changed;
    }
}
