using System.Net.Sockets;

namespace HostGw.Windows.Tests;

/// <summary>The network of a Windows node, in a file that the stand-in reads and writes (tests/native/standin/commands.c says how).</summary>
internal sealed class StandInHost(string path)
{
    public const string Uplink = "0006008001000000";
    public const string PodEndpoint = "0006008002000000";

    /// <summary>Where a running agent's stand-in is told what others do; 0: none runs.</summary>
    public int Port { get; set; }

    public void Write(params IEnumerable<string> lines) => File.WriteAllLines(path, lines);

    /// <summary>What others do to the host.</summary>
    public void Do(string command)
    {
        if (Port == 0)
            File.AppendAllText(path, command + "\n");
        else
            Assert.Equal("", Ask(command));
    }

    /// <summary>"DESTINATION NEXTHOP INTERFACE METRIC" of routes that somebody made, sorted.</summary>
    public string[] Routes()
    {
        IEnumerable<string> all = Port == 0 ? File.ReadLines(path).Where(l => l.StartsWith("route ", StringComparison.Ordinal)).Select(l => l["route ".Length..]) : Ask("routes").Split('\n');
        return [.. all.Select(l => l.Split(' ')).Where(w => w is [.., not "2"])
            .Select(w => $"{w[0]} {w[1]} {w[2] switch { Uplink => "uplink", PodEndpoint => "cbr0", var luid => luid }} {w[3]}").Order(StringComparer.Ordinal)];
    }

    /// <summary>The answer to a question, without the end of its last line.</summary>
    public string Ask(string question)
    {
        using TcpClient client = new("127.0.0.1", Port);
        using StreamWriter writer = new(client.GetStream());
        using StreamReader reader = new(client.GetStream());
        writer.Write(question + "\n");
        writer.Flush();
        List<string> lines = [];
        while (reader.ReadLine() is { } line && line != ".")
            lines.Add(line);
        return string.Join('\n', lines);
    }
}
