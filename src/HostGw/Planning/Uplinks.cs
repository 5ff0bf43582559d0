using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>The interfaces towards peers: the one of this node's address, and those of the next hops.</summary>
internal static class Uplinks
{
    public static ImmutableArray<HostInterface> Of(bool ipv6, InterfaceChoice own, ImmutableArray<Verdict> verdicts, HostState host)
    {
        List<HostInterface> found = own.Interface is { } link ? [link] : [];
        int last = own.Interface?.Index ?? 0;
        foreach (Verdict verdict in verdicts)
        {
            if (verdict.Kind != VerdictKind.Routed || verdict.Interface == last || verdict.PodCidr.IsIPv6 != ipv6)
                continue;
            last = verdict.Interface;
            if (!found.Exists(i => i.Index == last) && host.Interface(last) is { } other)
                found.Add(other);
        }
        return [.. found];
    }
}
