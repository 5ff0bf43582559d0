using System.Globalization;

namespace HostGw.Benchmarks.Figures;

/// <summary>Reading the kernel's text tables.</summary>
internal static class ProcText
{
    /// <summary>The value of a line such as <c>Pss:  1234 kB</c>, as in smaps_rollup, status and meminfo.</summary>
    /// <exception cref="FormatException">There is no such line.</exception>
    public static long KiB(string text, string label)
    {
        string line = text.Split('\n').FirstOrDefault(line => line.StartsWith(label + ":", StringComparison.Ordinal)) ?? throw new FormatException($"no line {label}");
        string[] words = line[(label.Length + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return words is [var number, "kB"] ? long.Parse(number, CultureInfo.InvariantCulture) : throw new FormatException($"not in kB: {line}");
    }

    /// <summary>The bytes that an interface has received, from /proc/net/dev.</summary>
    /// <exception cref="FormatException">There is no such interface.</exception>
    public static long ReceivedBytes(string netDev, string link)
    {
        string line = netDev.Split('\n').Select(line => line.TrimStart()).FirstOrDefault(line => line.StartsWith(link + ":", StringComparison.Ordinal))
            ?? throw new FormatException($"no interface {link}");
        return long.Parse(line[(link.Length + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0], CultureInfo.InvariantCulture);
    }
}
