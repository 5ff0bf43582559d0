namespace HostGw.Lab.Agents;

/// <summary>What an agent wrote, of all its lives, in memory and in a file.</summary>
public sealed class AgentLog(string path)
{
    private readonly Lock _lock = new();
    private readonly List<string> _lines = [];

    public string Path { get; } = path;

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lock)
                return [.. _lines];
        }
    }

    /// <summary>The last lines that say something; the frames of a stack do not.</summary>
    public IEnumerable<string> LastWords(int lines) => Lines.Where(line => !line.StartsWith("   at ", StringComparison.Ordinal)).TakeLast(lines);

    internal void Add(string? line)
    {
        if (line is null)
            return;
        lock (_lock)
        {
            _lines.Add(line);
            File.AppendAllText(Path, line + "\n");
        }
    }
}
