using System.Collections.Immutable;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using HostGw.Kubernetes;
using HostGw.Nodes;
using HostGw.Planning;
using HostGw.Tests.Kubernetes;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Nodes;

/// <summary>Nodes on disk: what was saved is what is read, and what somebody did to the file is noticed.</summary>
public sealed class SavedNodesTests : IDisposable
{
    private static readonly DateTimeOffset At = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private static readonly ImmutableArray<Prefix> Services = Given.Prefixes("10.96.0.0/16,fd00:10:96::/112");

    private static readonly NodeSelector Zone = NodeSelector.Parse("zone");

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Whatever_was_saved_is_what_is_read() => Prop.ForAll(NastyCluster.Any, cluster =>
    {
        var nodes = Given.Nodes(cluster.Nodes);
        SavedNodes read = Parsed(new([.. nodes], "42", At, Ip.Parse("10.0.0.9")) { ApiServers = Servers, ServiceCidrs = Services }, Zone);
        Assert.Equal(nodes.Select(NodeText.Text), read.Nodes.Select(NodeText.Text));
        Assert.Equal(("42", At, "10.0.0.9"), (read.ResourceVersion, read.At, read.ApiServer.ToString()));
        Assert.Equal(Servers, read.ApiServers);
        Assert.Equal(Services, read.ServiceCidrs);
    }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("""{"metadata":{"name":"a","uid":"u","annotations":{"hostgw.io/next-hop":"","hostgw.io/skip":"maybe"},"labels":{"pool":"x"}}}""")]
    [InlineData("""{"metadata":{"name":"a\u0000\"","annotations":{"hostgw.io/skip":"true","hostgw.io/next-hop":"10.0.0.5,fd00::5"}},"spec":{"podCIDRs":["10.244.2.1/24","<script>"]},"status":{"addresses":[{"type":"ExternalIP","address":"192.0.2.1"}],"nodeInfo":{"operatingSystem":"windows"}}}""")]
    public void Also_what_is_odd_of_a_node(string json)
    {
        ClusterNode node = Decoded(json);
        SavedNodes read = Parsed(new([node], "1", At, default), NodeText.Selector);
        Assert.Equal(NodeText.Text(node), NodeText.Text(Assert.Single(read.Nodes)));
        Assert.True(read.ApiServer.IsNone);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void That_they_are_a_part_is_saved_with_them_and_only_then(bool isPartial)
    {
        DateTimeOffset? from = isPartial ? At.AddHours(-3) : null;
        byte[] written = Written(Some with { PartialFrom = from });
        Assert.Equal(from, File().Parse(written, At).PartialFrom);
        Assert.Equal(isPartial, Encoding.UTF8.GetString(written).Contains("\"partialFrom\"", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(-25 * 60 - 1, "which is in the future")]
    [InlineData(-59, null)]
    [InlineData(24 * 60, null)]
    [InlineData(24 * 60 + 1, "more than 24 h ago")]
    public void What_is_too_old_or_from_the_future_is_refused(int minutesLater, string? reason)
    {
        byte[] written = Written(Some);
        DateTimeOffset now = At.AddMinutes(minutesLater);
        if (reason is null)
            Assert.Single(File().Parse(written, now).Nodes);
        else
            Assert.Contains(reason, Refusal(written, now), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_byte_counts()
    {
        byte[] written = Written(Some);
        for (int i = 0; i < written.Length; i++)
        {
            byte[] changed = [.. written];
            changed[i] ^= 1;
            Assert.NotEmpty(Refusal(changed, At));
            Assert.NotEmpty(Refusal(written[..i], At));
        }
    }

    [Theory]
    [InlineData("hostgw-nodes 1 2026-01-02T03:04:05Z - -\n{}\n", "another version of HostGw")]
    [InlineData("{\"format\":3}\n", "another version of HostGw")]
    [InlineData("{\"format\":2,\"at\":\"yesterday\"}\n", "$.at")]
    [InlineData("{\"format\":2,\"at\":\"2026-01-02T03:04:05Z\",\"labelKeys\":\"pool\"}\n", "nodeSelector has changed")]
    [InlineData("{\"format\":2,\"nodes\":[[[[\n", "nodes")]
    [InlineData("\n", "")]
    [InlineData("", "breaks off")]
    public void What_has_a_right_checksum_and_is_wrong_all_the_same_is_refused(string content, string reason)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(content);
        string hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes));
        Assert.Contains(reason, Refusal([.. bytes, .. Encoding.UTF8.GetBytes(hash + "\n")], At), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_cannot_be_written_leaves_the_one_before()
    {
        SavedNodesFile file = File();
        file.Write(s => s.Write("before"u8));
        Assert.Throws<SavedNodesException>(() => file.Write(s =>
        {
            s.Write("half"u8);
            throw new IOException("No space left on device");
        }));
        Assert.Equal("before", System.IO.File.ReadAllText(file.Path));
        Assert.Equal(["nodes"], Directory.GetFiles(_folder[""]).Select(Path.GetFileName));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(file.Path));
    }

    [Fact]
    public void A_link_in_the_place_of_the_file_is_replaced_and_not_followed()
    {
        string victim = Path.Combine(_folder[""], "victim");
        System.IO.File.WriteAllText(victim, "mine");
        foreach (string name in (string[])["nodes", "nodes.tmp"])
            System.IO.File.CreateSymbolicLink(Path.Combine(_folder[""], name), victim);

        File().Write(s => s.Write("ours"u8));

        Assert.Equal("mine", System.IO.File.ReadAllText(victim));
        Assert.Null(System.IO.File.ResolveLinkTarget(Path.Combine(_folder[""], "nodes"), returnFinalTarget: false));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(SavedNodesFile.MaxBytes + 1L)]
    public void A_file_of_a_size_that_ours_never_has_is_not_read(long size)
    {
        using (FileStream stream = System.IO.File.Create(Path.Combine(_folder[""], "nodes")))
            stream.SetLength(size);
        Assert.Contains("its size is", Assert.Throws<SavedNodesException>(() => File().Read(At)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_there_is_nothing_and_the_directory_is_made_for_us_alone()
    {
        string directory = Path.Combine(_folder[""], "deep", "er");
        SavedNodesFile file = new(directory, NodeSelector.Everything);
        Assert.Null(file.Read(At));
        Assert.False(file.Remove());
        file.Write(s => s.Write("x"u8));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, System.IO.File.GetUnixFileMode(directory));
        Assert.True(file.Remove());
    }

    public void Dispose() => _folder.Dispose();

    private static SavedNodes Some => new([.. Given.Nodes("a 10.244.2.0/24 10.0.0.2")], "42", At, default);

    private static ImmutableArray<IPEndPoint> Servers => [IPEndPoint.Parse("10.0.0.5:6443"), IPEndPoint.Parse("[fd00::5]:6443")];

    private static byte[] Written(SavedNodes saved, NodeSelector? selector = null)
    {
        using MemoryStream stream = new();
        new SavedNodesFile("unused", selector ?? NodeSelector.Everything).Write(stream, saved);
        return stream.ToArray();
    }

    private static SavedNodes Parsed(SavedNodes saved, NodeSelector selector) => new SavedNodesFile("unused", selector).Parse(Written(saved, selector), At);

    private string Refusal(byte[] content, DateTimeOffset now) => Assert.Throws<SavedNodesException>(() => File().Parse(content, now)).Message;

    private SavedNodesFile File() => new(_folder[""], NodeSelector.Everything);

    private static ClusterNode Decoded(string json)
    {
        ClusterNode? node = null;
        NodeDraft draft = new(NodeText.Selector);
        new ListWatchDecoder(isWatch: false, draft, _ => node = NodeText.Built(draft)).Decode(NodeProtobuf.ListOf("1", json), isFinal: true);
        return node!;
    }
}
