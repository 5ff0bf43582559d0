using System.Globalization;
using System.Text.RegularExpressions;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Problems;
using HostGw.Problems.Rules;
using HostGw.Reconciliation;

namespace HostGw.Tests.Problems;

/// <summary>
/// Does to a modelled host or cluster what a printed cure says, to the letter. Lab tests run the same commands on real kernels; here a
/// wrong path, name or prefix in the text fails as it would on a host.
/// </summary>
internal static partial class Obedience
{
    /// <summary>Runs the command with which the text begins, and those that follow it after &amp;&amp;.</summary>
    public static Examination Run(string text, Examination seen)
    {
        string command = Command().Match(text).Value;
        Assert.True(command.Length > 0, $"no command: {text}");
        seen = Run(command.Split(' '), seen);
        string rest = text[command.Length..];
        return rest.StartsWith(" && ", StringComparison.Ordinal) ? Run(rest[4..], seen) : Again(seen);
    }

    private static Examination Run(string[] words, Examination seen) => words switch
    {
        ["sysctl", "-w", .. var settings] => SysctlModel.Write(settings, seen),
        ["ip", "-6", "route", "del", .. var route] => DeleteRoute(route, seen, isIPv6: true),
        ["ip", "route", "del", .. var route] => DeleteRoute(route, seen, isIPv6: route[0].Contains(':', StringComparison.Ordinal)),
        ["Remove-NetRoute", "-DestinationPrefix", var prefix, "-InterfaceIndex", var index, "-NextHop", var nextHop] => DeleteRoutes(
            r => r.Destination == Prefix.Parse(prefix) && r.NextHop == Ip.Parse(nextHop) && $"{r.Interface}" == index, seen),
        ["Set-NetIPInterface", "-InterfaceAlias", var alias, "-AddressFamily", var family, "-Forwarding", "Enabled"] =>
            ForwardOnWindows(alias.Trim('\''), family == "IPv4", seen),
        ["ip", "neigh", "del", var address, "dev", var link] => Forget(Ip.Parse(address), link, seen),
        ["ip", "link", "delete", _] or ["ovs-vsctl", "del-port", _] => DeleteLink(words[^1], seen),
        ["kubectl", "annotate", "node", var node, "--overwrite", var annotation] => Annotate(node, annotation, seen),
        ["kubectl", "annotate", "node", var node, var annotation] when annotation.EndsWith('-') => Annotate(node, annotation, seen),
        _ => throw new ArgumentException($"nobody knows the command '{string.Join(' ', words)}'"),
    };

    /// <summary>What the doctor sees of the host as it is now.</summary>
    public static Examination Again(Examination seen)
    {
        Plan plan = Planner.Plan(seen.Nodes, seen.Host, seen.Policy);
        return seen with { Plan = plan, Routes = HostDiff.Between(plan, seen.Host, new HashSet<RouteKey>(), AdoptMode.None).Routes };
    }

    private static Examination DeleteRoute(string[] words, Examination seen, bool isIPv6)
    {
        string After(string word) => words.Contains(word) ? words[Array.IndexOf(words, word) + 1] : "";
        Prefix destination = Prefix.Parse(words[0] == "default" ? (isIPv6 ? "::/0" : "0.0.0.0/0") : words[0]);
        return DeleteRoutes(
            r => r.Destination == destination && r.Protocol == int.Parse(After("proto"), CultureInfo.InvariantCulture) &&
                (After("dev").Length == 0 || seen.Host.Interface(r.Interface)?.Name == After("dev")), seen);
    }

    private static Examination DeleteRoutes(Predicate<HostRoute> doomed, Examination seen)
    {
        List<HostRoute> routes = [.. seen.Host.Routes];
        Assert.True(routes.RemoveAll(doomed) > 0, "RTNETLINK answers: No such process");
        return seen with { Host = seen.Host with { Routes = routes } };
    }

    // As Windows counts: the host forwards if one interface does.
    private static Examination ForwardOnWindows(string alias, bool isIPv4, Examination seen)
    {
        HostInterface link = seen.Host.Interfaces.Single(i => i.Name == alias);
        ForwardingState forwarding = seen.Host.Forwarding;
        return seen with
        {
            Host = seen.Host with
            {
                Interfaces = seen.Host.Interfaces.Replace(link,
                    isIPv4 ? link with { ForwardsIPv4 = true } : link with { ForwardsIPv6 = true }),
                Forwarding = isIPv4 ? forwarding with { IPv4 = true } : forwarding with { IPv6 = true },
            },
        };
    }

    private static Examination Forget(Ip address, string link, Examination seen)
    {
        Dictionary<Ip, NeighbourEntry> entries = new(seen.Neighbours);
        Assert.True(entries.Remove(address, out NeighbourEntry? entry) && seen.Host.Interface(entry.Interface)?.Name == link,
            $"{address} {link}");
        return seen with { Neighbours = entries };
    }

    private static Examination DeleteLink(string name, Examination seen)
    {
        HostInterface link = seen.Host.Interfaces.Single(i => i.Name == name);
        return seen with
        {
            Host = seen.Host with
            {
                Interfaces = seen.Host.Interfaces.Remove(link),
                Addresses = [.. seen.Host.Addresses.Where(a => a.Interface != link.Index)],
                Routes = [.. seen.Host.Routes.Where(r => r.Interface != link.Index)],
            },
        };
    }

    // Where the text says ADDRESS, that of node d on the segment of these tests.
    private static Examination Annotate(string node, string annotation, Examination seen)
    {
        ClusterNode before = seen.Nodes.Single(n => n.Name == node);
        ClusterNode after = annotation switch
        {
            "hostgw.io/next-hop-" => before with { NextHopOverride = null },
            "hostgw.io/next-hop=ADDRESS" => before with { NextHopOverride = [Ip.Parse("10.0.0.4")] },
            "hostgw.io/skip-" => before with { Skip = false },
            "hostgw.io/skip=true" => before with { Skip = true },
            _ => throw new ArgumentException($"nobody reads the annotation '{annotation}'"),
        };
        return seen with { Nodes = seen.Nodes.Replace(before, after) };
    }

    // Up to a punctuation mark or an aside, as a person reads it.
    [GeneratedRegex(
        @"^(?:sysctl -w|ip(?: -6)? (?:route|neigh|link)|Remove-NetRoute|Set-NetIPInterface|ovs-vsctl|kubectl annotate)" +
        @"(?: (?!&&|yourself|or )[^\s;,()]+)+")]
    private static partial Regex Command();
}

/// <summary>The part of /proc/sys/net that cures write, as the kernel reads it.</summary>
/// <remarks>https://docs.kernel.org/networking/ip-sysctl.html</remarks>
internal static class SysctlModel
{
    public static Examination Write(string[] settings, Examination seen)
    {
        SortedDictionary<string, int> files = Of(seen);
        foreach (string[] setting in settings.Select(s => s.Split('=')))
        {
            string file = PathOf(setting[0]);
            Assert.True(files.ContainsKey(file), $"sysctl: cannot stat /proc/sys/{file}: No such file or directory");
            files[file] = int.Parse(setting[1], CultureInfo.InvariantCulture);
            foreach (string other in files.Keys.Where(f => IsSwitched(f, file)).ToArray())
                files[other] = files[file];
            if (file == "net/ipv6/conf/all/forwarding")
                seen = WithoutLearntRoutes(files, seen);
        }
        return Into(files, seen);
    }

    // sysctl(8): where the first separator is a dot, the others are, too, and a slash stands for a dot.
    private static string PathOf(string name) => new([.. name.Select(c => c switch { '.' => '/', '/' => '.', _ => c })]);

    // ip_forward sets all interfaces and the default; conf.all and conf.default of forwarding are no more than the others here.
    private static bool IsSwitched(string file, string written) =>
        written is "net/ipv4/ip_forward" && file.StartsWith("net/ipv4/conf/", StringComparison.Ordinal) &&
        file.EndsWith("/forwarding", StringComparison.Ordinal);

    // When forwarding is turned on, interfaces with accept_ra=1 lose the default routes that they have learnt.
    private static Examination WithoutLearntRoutes(SortedDictionary<string, int> files, Examination seen) => seen with
    {
        Host = seen.Host with
        {
            Routes = [.. seen.Host.Routes.Where(r => r is not { Protocol: 9, Destination.Length: 0 } ||
                files[$"net/ipv6/conf/{seen.Host.Interface(r.Interface)!.Name}/accept_ra"] == 2)],
        },
    };

    private static SortedDictionary<string, int> Of(Examination seen)
    {
        HostState host = seen.Host;
        SortedDictionary<string, int> files = new(StringComparer.Ordinal)
        {
            ["net/ipv4/ip_forward"] = Bit(host.Forwarding.IPv4 == true),
            ["net/ipv4/conf/default/forwarding"] = Bit(host.NewInterfacesForwardIPv4),
            ["net/ipv6/conf/all/forwarding"] = Bit(host.Forwarding.IPv6 == true),
            // The worst case: set for all and for the interface.
            ["net/ipv4/conf/all/rp_filter"] = seen.Facts.ReversePathFilters.Values.DefaultIfEmpty().Max(),
            ["net/ipv4/conf/all/arp_ignore"] = seen.Facts.ArpIgnore.Values.DefaultIfEmpty().Max(),
        };
        foreach (HostInterface link in host.Interfaces)
        {
            files[$"net/ipv4/conf/{link.Name}/forwarding"] = Bit(link.ForwardsIPv4);
            files[$"net/ipv4/conf/{link.Name}/rp_filter"] = seen.Facts.ReversePathFilters.GetValueOrDefault(link.Name);
            files[$"net/ipv4/conf/{link.Name}/arp_ignore"] = seen.Facts.ArpIgnore.GetValueOrDefault(link.Name);
            files[$"net/ipv6/conf/{link.Name}/accept_ra"] = link.AcceptRa;
        }
        (string, int?)[] limits = [("ipv4", seen.Facts.NeighbourLimitIPv4), ("ipv6", seen.Facts.NeighbourLimitIPv6)];
        foreach ((string family, int? limit) in limits)
        {
            for (int level = 1; level <= 3 && limit is not null; level++)
                files[$"net/{family}/neigh/default/gc_thresh{level}"] = limit.Value >> (3 - level);
        }
        return files;
    }

    private static Examination Into(SortedDictionary<string, int> files, Examination seen)
    {
        HostState host = seen.Host;
        int? Limit(string family) => files.TryGetValue($"net/{family}/neigh/default/gc_thresh3", out int limit) ? limit : null;
        // The larger one takes effect.
        Dictionary<string, int> Effective(string setting) => host.Interfaces.ToDictionary(
            i => i.Name, i => Math.Max(files[$"net/ipv4/conf/all/{setting}"], files[$"net/ipv4/conf/{i.Name}/{setting}"]));
        return seen with
        {
            Host = host with
            {
                Forwarding = new(
                    host.Forwarding.IPv4 is null ? null : files["net/ipv4/ip_forward"] == 1,
                    host.Forwarding.IPv6 is null ? null : files["net/ipv6/conf/all/forwarding"] == 1),
                NewInterfacesForwardIPv4 = files["net/ipv4/conf/default/forwarding"] == 1,
                Interfaces = [.. host.Interfaces.Select(i => i with
                {
                    ForwardsIPv4 = files[$"net/ipv4/conf/{i.Name}/forwarding"] == 1,
                    AcceptRa = files[$"net/ipv6/conf/{i.Name}/accept_ra"],
                })],
            },
            Facts = seen.Facts with
            {
                ReversePathFilters = Effective("rp_filter"),
                ArpIgnore = Effective("arp_ignore"),
                NeighbourLimitIPv4 = Limit("ipv4"),
                NeighbourLimitIPv6 = Limit("ipv6"),
            },
        };
    }

    private static int Bit(bool value) => value ? 1 : 0;
}
