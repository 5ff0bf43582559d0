using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using HostGw.Kubernetes;
using HostGw.Planning;

namespace HostGw.Nodes;

/// <summary>Saved nodes as bytes: a line that says what they are, a NodeList as the API server would send it, and a checksum.</summary>
/// <remarks>The list is read by what reads the API server's, which believes nothing.</remarks>
internal static class SavedNodesForm
{
    /// <summary>What is older is no better than nothing: addresses and podCIDRs have been given anew.</summary>
    public static readonly TimeSpan LongestAge = TimeSpan.FromHours(24);

    // A clock may be a little behind the one that wrote it, or set back a little since.
    private static readonly TimeSpan FarthestAhead = TimeSpan.FromHours(1);

    private const string Kind = "hostgw-nodes", Version = "1", Nothing = "-";
    private const int HashDigits = 64, LongestLine = 4096, Fields = 5;

    public static void Write(Stream stream, SavedNodes saved, NodeSelector selector)
    {
        using SHA256 hash = SHA256.Create();
        using CryptoStream hashing = new(stream, hash, CryptoStreamMode.Write, leaveOpen: true);
        string server = saved.ApiServer.IsNone ? Nothing : saved.ApiServer.ToString();
        hashing.Write(Encoding.UTF8.GetBytes($"{Kind} {Version} {Rfc3339.Text(saved.At)} {server} {Labels(selector)}\n"));
        SavedNodesJson.Write(hashing, saved);
        hashing.Write("\n"u8);
        hashing.FlushFinalBlock();
        stream.Write(Encoding.ASCII.GetBytes($"{Convert.ToHexStringLower(hash.Hash!)}\n"));
    }

    /// <exception cref="SavedNodesException">It is damaged, too old, or not what this agent would have saved.</exception>
    public static SavedNodes Read(ReadOnlyMemory<byte> content, NodeSelector selector, DateTimeOffset now)
    {
        ReadOnlyMemory<byte> hashed = Checked(content);
        int end = hashed.Span[..Math.Min(hashed.Length, LongestLine)].IndexOf((byte)'\n');
        string[] fields = end < 0 ? [] : Encoding.UTF8.GetString(hashed.Span[..end]).Split(' ');
        if (fields.Length != Fields || fields[0] != Kind || fields[1] != Version)
            throw new SavedNodesException("it was written by another version");
        if (fields[4] != Labels(selector))
            throw new SavedNodesException("the setting nodeSelector has changed since");

        DateTimeOffset at = Time(fields[2], now);
        _ = Ip.TryParse(fields[3], out Ip server);
        try
        {
            return SavedNodesJson.Read(hashed[(end + 1)..], selector) with { At = at, ApiServer = server };
        }
        catch (Exception e) when (e is NodeStreamException or ApiException)
        {
            throw new SavedNodesException(e.Message, e);
        }
    }

    // The end of a file is what a crash or a full disk takes.
    private static ReadOnlyMemory<byte> Checked(ReadOnlyMemory<byte> content)
    {
        int length = content.Length - HashDigits - 1;
        if (length <= 0 || content.Span[^1] != '\n')
            throw new SavedNodesException("it breaks off");
        string hash = Convert.ToHexStringLower(SHA256.HashData(content.Span[..length]));
        return Encoding.ASCII.GetBytes(hash).AsSpan().SequenceEqual(content.Span[length..^1])
            ? content[..length]
            : throw new SavedNodesException("its checksum does not fit");
    }

    private static DateTimeOffset Time(string text, DateTimeOffset now)
    {
        if (!DateTimeOffset.TryParseExact(text, Rfc3339.Format, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset at))
            throw new SavedNodesException("it does not say when it was written");
        if (now - at > LongestAge)
            throw new SavedNodesException($"it is of {text}, more than {LongestAge.TotalHours:0} h ago");
        return at - now <= FarthestAhead ? at : throw new SavedNodesException($"it is of {text}, which is yet to come: a clock was set");
    }

    // Of a node's labels only those are kept that the selector names: under another one peers would seem to lack theirs.
    private static string Labels(NodeSelector selector) =>
        selector.Requirements.IsEmpty ? Nothing : string.Join(',', selector.Requirements.Select(r => r.Key).Distinct(StringComparer.Ordinal));
}
