using System.Globalization;

namespace HostGw.Platform.Linux;

/// <summary>A mapping of this process.</summary>
/// <param name="IsOnlyFile">Every page of it is the file's, so none is lost when it is unmapped: it cannot be written, and no page was (relocations are).</param>
/// <remarks>https://man7.org/linux/man-pages/man5/proc_pid_smaps.5.html</remarks>
internal readonly record struct Mapping(nint Start, nuint Length, bool IsOnlyFile)
{
    /// <summary>Reads the lines of /proc/PID/smaps; what is not understood is passed over.</summary>
    public static IEnumerable<Mapping> Read(IEnumerable<string> lines)
    {
        Mapping current = default;
        foreach (string line in lines)
        {
            if (Head(line) is { } next)
            {
                if (current.IsOnlyFile)
                    yield return current;
                current = next;
            }
            else if (line.StartsWith("Anonymous:", StringComparison.Ordinal) || line.StartsWith("Swap:", StringComparison.Ordinal))
            {
                current = current with { IsOnlyFile = current.IsOnlyFile && line.EndsWith(" 0 kB", StringComparison.Ordinal) };
            }
        }
        if (current.IsOnlyFile)
            yield return current;
    }

    // 7f0c5d000000-7f0c5d1b2000 r-xp 00028000 fe:01 4325 /usr/lib/libc.so.6
    private static Mapping? Head(string line)
    {
        string[] words = line.Split(' ', 6, StringSplitOptions.RemoveEmptyEntries);
        int dash = words.Length < 5 ? -1 : words[0].IndexOf('-');
        if (dash < 0
            || !ulong.TryParse(words[0].AsSpan(0, dash), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong start)
            || !ulong.TryParse(words[0].AsSpan(dash + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong end))
            return null;
        bool isFile = words.Length == 6 && words[5].StartsWith('/') && words[4] != "0";
        return new((nint)start, (nuint)(end - start), isFile && words[1][0] == 'r' && words[1][1] == '-');
    }
}
