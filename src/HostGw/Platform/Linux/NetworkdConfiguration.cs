namespace HostGw.Platform.Linux;

/// <summary>Reads what systemd-networkd was told of routes that it has not made. Pure.</summary>
/// <remarks>https://www.freedesktop.org/software/systemd/man/latest/networkd.conf.html</remarks>
internal static class NetworkdConfiguration
{
    /// <param name="texts">Its files, in the order in which they count; the last word wins, and without one it is yes.</param>
    public static bool RemovesForeignRoutes(IEnumerable<string> texts)
    {
        bool removes = true;
        foreach (string line in texts.SelectMany(t => t.Split('\n')))
        {
            if (line.Split('=', 2) is [var name, var value] && name.Trim() == "ManageForeignRoutes")
                removes = value.Trim().ToLowerInvariant() is not ("no" or "false" or "off" or "0" or "n" or "f");
        }
        return removes;
    }
}
