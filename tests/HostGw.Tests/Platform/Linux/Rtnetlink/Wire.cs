using HostGw.Platform.Linux.Netlink;

namespace HostGw.Tests.Platform.Linux.Rtnetlink;

/// <summary>Messages as bytes.</summary>
internal static class Wire
{
    /// <summary>A writer that has been used: what it holds is not zero.</summary>
    public static NetlinkWriter Dirty()
    {
        NetlinkWriter writer = new();
        byte[] dirt = new byte[4000];
        Array.Fill(dirt, (byte)0xEE);
        writer.Begin(0xEEEE, 0xEEEE, 0xEEEEEEEE);
        writer.Attribute(0xEEEE, dirt);
        writer.End();
        writer.Clear();
        return writer;
    }

    public static void Equal(string hex, Action<NetlinkWriter> write)
    {
        NetlinkWriter writer = Dirty();
        write(writer);
        Assert.Equal(hex, Convert.ToHexString(writer.Written));
        Assert.Equal(1, writer.Count);
    }

    /// <summary>The lines of a captured dump: "= what it says", then its bytes; # begins a comment.</summary>
    public static IEnumerable<(string Meaning, byte[] Payload)> Captured(string file)
    {
        string meaning = "";
        string path = Architecture.Repository.PathTo($"tests/HostGw.Tests/Platform/Linux/Rtnetlink/Captured/{file}");
        foreach (string line in File.ReadLines(path))
        {
            if (line.StartsWith('='))
                meaning = line[1..].Trim();
            else if (line.Length > 0 && !line.StartsWith('#'))
                yield return (meaning, Convert.FromHexString(line));
        }
    }
}
