using System.Text;
using FsCheck;
using FsCheck.Fluent;
using HostGw.Kubernetes;
using HostGw.Nodes;

namespace HostGw.Tests.Nodes;

public class NodeJsonChunkTests
{
    private static readonly string Frames = string.Join('\n', NodeJsonDecoderTests.Nodes.Select((row, i) =>
        i % 2 == 0 ? $$$"""{"type":"MODIFIED","object":{{{row.Data.Item2}}}}""" : $$$"""{"object":{{{row.Data.Item2}}},"type":"ADDED"}"""));

    [Fact]
    public void Any_split_of_the_bytes_gives_the_same_events()
    {
        byte[] bytes = Encoding.UTF8.GetBytes(Frames);
        string[] whole = NodeJson.Events(Frames);
        Assert.Equal(NodeJsonDecoderTests.Nodes.Count, whole.Length);

        Gen<int[]> cuts = Gen.Choose(0, bytes.Length).ArrayOf();
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(300),
            Prop.ForAll(cuts.ToArbitrary(), c => whole.SequenceEqual(NodeJson.Events(bytes, c))));
    }

    [Fact]
    public void Byte_by_byte_gives_the_same_events()
    {
        int[] everywhere = [.. Enumerable.Range(0, Encoding.UTF8.GetByteCount(Frames))];
        Assert.Equal(NodeJson.Events(Frames), NodeJson.Events(Frames, everywhere));
    }

    [Fact]
    public void Broken_bytes_never_do_more_than_throw_a_stream_error()
    {
        byte[] bytes = Encoding.UTF8.GetBytes(Frames);
        var change = Gen.Choose(0, bytes.Length - 1).Zip(Gen.Choose(0, 255));
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(2000), Prop.ForAll(change.ToArbitrary(), c =>
        {
            byte[] broken = [.. bytes];
            broken[c.Item1] = (byte)c.Item2;
            return Record.Exception(() => NodeJson.Events(broken)) is null or NodeStreamException;
        }));
    }

    // What a string consists of: its length in JSON is no whole number of any of them.
    [Theory]
    [InlineData("a")]
    [InlineData("é€😀")]
    [InlineData("\\\\")]
    [InlineData("\\\"")]
    [InlineData("\\u003c")]
    [InlineData("\\ud83d\\ude00x")]
    public async Task A_string_as_long_as_a_Node_can_hold_does_not_keep_the_others_from_being_read(string piece)
    {
        var reader = new NodeReader(NodeJson.Selector);
        foreach (int length in (int[])[BodyPump.MaxToken - 4, BodyPump.MaxToken - 3, BodyPump.MaxToken - 2, BodyPump.MaxToken - 1, BodyPump.MaxToken, BodyPump.MaxToken + 1, 9_000_000])
        {
            string text = string.Concat(Enumerable.Repeat(piece, length / Encoding.UTF8.GetByteCount(piece)));
            text = new string('b', length - Encoding.UTF8.GetByteCount(text)) + text;
            foreach (string big in (string[])[$"\"x\":\"{text}\"", $"\"{text}\":\"x\"", $"\"x\":\"{text}\",\"hostgw.io/next-hop\":\"{text}\""])
            {
                List<string> names = [];
                await reader.ReadListAsync(NodeJson.Response(List(big)), (_, draft) => names.Add(draft.Name.ToString()), TestContext.Current.CancellationToken);
                Assert.Equal(["big", "next"], names);
            }
        }
    }

    [Fact]
    public async Task A_long_string_that_breaks_off_is_an_error()
    {
        byte[] list = List($"\"x\":\"{new string('a', 300_000)}\"")[..200_000];
        await Assert.ThrowsAsync<NodeStreamException>(() => new NodeReader(NodeJson.Selector).ReadListAsync(NodeJson.Response(list), (_, _) => { }, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_number_without_end_is_an_error() =>
        await Assert.ThrowsAsync<NodeStreamException>(() =>
            new NodeReader(NodeJson.Selector).ReadListAsync(NodeJson.Response(List($"\"x\":{new string('1', 100_000)}")), (_, _) => { }, TestContext.Current.CancellationToken));

    [Fact]
    public async Task A_list_that_breaks_off_is_an_error_at_every_byte()
    {
        const string Json = """{"kind":"NodeList","metadata":{"resourceVersion":"5"},"items":[{"metadata":{"name":"a"}}]}""";
        for (int length = 0; length < Json.Length; length++)
        {
            using ApiResponse part = NodeJson.Response(Encoding.UTF8.GetBytes(Json[..length]));
            await Assert.ThrowsAsync<NodeStreamException>(() =>
                new NodeReader(NodeJson.Selector).ReadListAsync(part, (_, _) => { }, TestContext.Current.CancellationToken));
        }
    }

    private static byte[] List(string annotations) => Encoding.UTF8.GetBytes(
        $$$"""{"metadata":{"resourceVersion":"5"},"items":[{"metadata":{"name":"big","annotations":{{{{annotations}}}} } },{"metadata":{"name":"next"}}]}""");
}
