using System.Diagnostics;
using HostGw.FakeApi;
using HostGw.Lab;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Benchmarks.Whole;

/// <summary>What anybody needs who does the same work: the list read by curl, the routes added by ip, the rule by nft.</summary>
internal static class Floor
{
    private const string Beside = "beside";
    private const string Routes = $"{Box.Directory}/routes", Rules = $"{Box.Directory}/rules";

    /// <summary>The time that curl takes to read the list as protobuf.</summary>
    public static TimeSpan ReadList(Site site) => Time(site, "curl",
        "--silent", "--show-error", "--fail", "--output", "/dev/null", "--cacert", site.Authority, "--header", $"Authorization: Bearer {site.Server.Token}",
        "--header", "Accept: application/vnd.kubernetes.protobuf", site.Nodes.ToString());

    /// <summary>The time that ip takes to add the routes to all other nodes.</summary>
    public static TimeSpan AddRoutes(Site site)
    {
        File.WriteAllLines(Routes, Enumerable.Range(2, site.Size - 1).Select(Route));
        return Time(site, "ip", "-batch", Routes);
    }

    /// <summary>The time that nft takes to make a table like the agent's once more, just after that was deleted: a good part is the kernel's.</summary>
    public static TimeSpan RestoreNat(Site site)
    {
        string rules = site.Machine.Exec("nft", "list", "table", "inet", MasqueradeRuleset.TableName);
        File.WriteAllText(Rules, rules.Replace($"inet {MasqueradeRuleset.TableName}", $"inet {Beside}", StringComparison.Ordinal));
        Time(site, "nft", "-f", Rules);
        Time(site, "nft", "delete", "table", "inet", Beside);
        TimeSpan time = Time(site, "nft", "-f", Rules);
        Time(site, "nft", "delete", "table", "inet", Beside);
        return time;
    }

    private static string Route(int number)
    {
        NodeSpec node = NodeFactory.Node(number);
        return $"route add {node.PodCidrs[0]} via {node.InternalIPs[0]} dev eth0 onlink proto {Site.Protocol}";
    }

    private static TimeSpan Time(Site site, string program, params IEnumerable<string> arguments)
    {
        long start = Stopwatch.GetTimestamp();
        using Process process = site.Start(new(program, arguments));
        process.WaitForExit();
        TimeSpan time = Stopwatch.GetElapsedTime(start);
        return process.ExitCode == 0 ? time : throw new InvalidOperationException($"{program} exited with {process.ExitCode}");
    }
}
