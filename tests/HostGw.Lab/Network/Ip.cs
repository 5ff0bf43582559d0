namespace HostGw.Lab.Network;

/// <summary>The <c>ip</c> program.</summary>
public static class Ip
{
    /// <summary>Runs many commands in one process, in a namespace or in the box's own network. Stops at the first that fails.</summary>
    public static void Batch(IEnumerable<string> lines, string? inNamespace = null)
    {
        string text = string.Join('\n', lines);
        if (text.Length > 0)
            Command.RunWithInput(text + "\n", "ip", [.. inNamespace is null ? [] : new[] { "-n", inNamespace }, "-batch", "-"]);
    }
}
