using System.Collections.Immutable;
using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Rtnetlink;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Platform.Linux;

/// <summary>Reads policy rules, and changes HostGw's.</summary>
[SupportedOSPlatform("linux")]
internal sealed class LinuxPolicyRules(NetlinkSocket socket, byte protocol)
{
    private readonly NetlinkWriter _request = new();

    /// <summary>Empty where there are only those of every host, and on a kernel without policy rules.</summary>
    public ImmutableArray<PolicyRule> Read()
    {
        List<PolicyRule> rules = [];
        _request.Clear();
        RuleMessages.Dump(_request, socket.NextSequence());
        try
        {
            socket.Dump("list policy rules", _request, rules.Clear, (_, payload) =>
            {
                if (RuleMessages.TryDecode(payload, protocol, out PolicyRule? rule))
                    rules.Add(rule!);
            });
        }
        catch (NetlinkException e) when (e.Errno is Errno.EOPNOTSUPP or Errno.EAFNOSUPPORT)
        {
            return [];
        }
        return PolicyRule.AreUsual(rules) ? [] : [.. rules];
    }

    /// <summary>Additions are made first: packets are never without a rule.</summary>
    public void Apply(PolicyRuleChanges changes, Attempts attempts)
    {
        foreach (PolicyRule rule in changes.Add)
            Execute(attempts, $"add policy rule {rule}", () => RuleMessages.Add(_request, rule, protocol, socket.NextSequence()));
        foreach (PolicyRule rule in changes.Delete)
            Execute(attempts, $"delete policy rule {rule}", () => RuleMessages.Delete(_request, rule, protocol, socket.NextSequence()));
    }

    private void Execute(Attempts attempts, string what, Action encode) => attempts.Try(HostPart.PolicyRules, what, wanted: true, () =>
    {
        _request.Clear();
        encode();
        NetlinkException? refusal = null;
        socket.Execute(what, _request, (_, error) => refusal = error);
        if (refusal is { IsNotFound: false } and not { Errno: Errno.EEXIST })
            throw refusal;
    });
}

/// <summary>Asks the kernel which routes packets take. Used for one pass: tables are read once.</summary>
[SupportedOSPlatform("linux")]
internal sealed class LinuxRouteLookup(NetlinkSocket socket) : IRouteLookup
{
    private readonly NetlinkWriter _request = new();
    private readonly Dictionary<(uint Table, bool IsIPv6), List<RouteAnswer>> _tables = [];

    public RouteAnswer Ask(in PacketPath path)
    {
        RouteAnswer answer = RouteAnswer.Refused;
        _request.Clear();
        LookupMessages.Ask(_request, path, socket.NextSequence());
        try
        {
            socket.Dump("look up a route", _request, static () => { }, (_, payload) =>
            {
                if (LookupMessages.TryDecode(payload, out RouteAnswer route))
                    answer = route;
            });
        }
        catch (NetlinkException)
        {
            // Errors are answers: the packet would be dropped.
        }
        return answer;
    }

    public RouteAnswer? LongestMatch(uint table, Ip destination)
    {
        if (!_tables.TryGetValue((table, destination.IsIPv6), out List<RouteAnswer>? routes))
            _tables[(table, destination.IsIPv6)] = routes = Read(table, destination.IsIPv6);
        return RouteAnswer.LongestMatch(routes, destination);
    }

    private List<RouteAnswer> Read(uint table, bool ipv6)
    {
        List<RouteAnswer> routes = [];
        _request.Clear();
        RouteEncoder.Dump(_request, ipv6 ? AF_INET6 : AF_INET, socket.NextSequence(), table);
        try
        {
            socket.Dump("list routes", _request, routes.Clear, (_, payload) =>
            {
                if (LookupMessages.TryDecode(payload, table, out RouteAnswer route))
                    routes.Add(route);
            });
        }
        catch (NetlinkException)
        {
            routes.Clear(); // there is no such table
        }
        return routes;
    }
}
