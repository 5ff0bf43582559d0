using HostGw.Planning;

namespace HostGw.Platform.Linux;

/// <summary>The DNS resolvers this host uses.</summary>
/// <remarks>https://man7.org/linux/man-pages/man5/resolv.conf.5.html</remarks>
internal static class ResolvConf
{
    private const int MaxLines = 1000;

    /// <summary>None where the file cannot be read.</summary>
    public static IReadOnlyList<Ip> Read(string path)
    {
        try
        {
            return Parse(File.ReadLines(path).Take(MaxLines));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    public static IReadOnlyList<Ip> Parse(IEnumerable<string> lines)
    {
        List<Ip> resolvers = [];
        foreach (string line in lines)
        {
            string[] words = line.Split((char[]?)null, 3, StringSplitOptions.RemoveEmptyEntries);
            // A link-local resolver is written with its zone.
            if (words is ["nameserver", var address, ..] && Ip.TryParse(address.AsSpan(0, ZoneStart(address)), out Ip ip))
                resolvers.Add(ip);
        }
        return resolvers;
    }

    private static int ZoneStart(string address) => address.IndexOf('%') is >= 0 and int zone ? zone : address.Length;
}
