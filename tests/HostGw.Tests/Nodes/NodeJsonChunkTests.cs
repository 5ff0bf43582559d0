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

    [Fact]
    public async Task The_pump_grows_for_a_long_token_and_gives_up_at_the_bound()
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        var reader = new NodeReader(NodeJson.Selector);
        List<string> names = [];

        await reader.ReadListAsync(NodeJson.Response(List(BodyPump.MaxToken - 100)), (_, draft) => names.Add(draft.Name.ToString()), cancel);
        Assert.Equal(["big", "next"], names);
        await Assert.ThrowsAsync<NodeStreamException>(() => reader.ReadListAsync(NodeJson.Response(List(BodyPump.MaxToken + 100)), (_, _) => { }, cancel));
    }

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

    private static byte[] List(int tokenLength) => Encoding.UTF8.GetBytes(
        $$$"""{"metadata":{"resourceVersion":"5"},"items":[{"metadata":{"name":"big","annotations":{"x":"{{{new string('a', tokenLength)}}}"} } },{"metadata":{"name":"next"}}]}""");
}
