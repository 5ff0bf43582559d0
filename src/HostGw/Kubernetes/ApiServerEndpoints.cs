using System.Collections.Immutable;
using k8s.Models;

namespace HostGw.Kubernetes;

/// <summary>The addresses of the API servers that the EndpointSlice `kubernetes` in the namespace `default` names.</summary>
internal static class ApiServerEndpoints
{
    private const int Max = 16;

    // What is no other host's address. Loopback and link-local addresses would let the slice lead the agent to a program of this host.
    private static readonly ImmutableArray<Prefix> Special =
    [
        .. ((string[])["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3", "::/96", "::ffff:0:0/96", "fe80::/10", "ff00::/8"])
            .Select(Prefix.Parse),
    ];

    // RFC 6052: a translator sends what goes there to the IPv4 address in the last 32 bits.
    private static readonly Prefix Translated = Prefix.Parse("64:ff9b::/96");

    /// <summary>The ready endpoints at the port `https`, else at the only one.</summary>
    /// <remarks>https://kubernetes.io/docs/reference/kubernetes-api/service-resources/endpoint-slice-v1/</remarks>
    public static IEnumerable<IPEndPoint> Ready(V1EndpointSlice slice)
    {
        if (Port(slice) is not { } port)
            yield break;
        foreach (V1Endpoint? endpoint in slice.Endpoints ?? [])
        {
            if (endpoint is null or { Conditions.Ready: false })
                continue;
            foreach (string? address in endpoint.Addresses ?? [])
            {
                if (Ip.TryParse(address, out Ip ip))
                    yield return new(ip.ToIPAddress(), port);
            }
        }
    }

    /// <summary>Those that another host may have: at most 16, each once.</summary>
    /// <param name="ownPodCidrs">This node's: a pod of ours is no API server.</param>
    public static ImmutableArray<IPEndPoint> Usable(IEnumerable<IPEndPoint> endpoints, ImmutableArray<Prefix> ownPodCidrs) =>
        [.. endpoints.Where(e => IsUsable(Ip.From(e.Address), ownPodCidrs)).Distinct().Take(Max)];

    private static bool IsUsable(Ip ip, ImmutableArray<Prefix> ownPodCidrs) => IsPlain(ip, ownPodCidrs) &&
        (!Translated.Contains(ip) || IsPlain(Ip.V4((uint)ip.Low), ownPodCidrs));

    private static bool IsPlain(Ip ip, ImmutableArray<Prefix> ownPodCidrs) =>
        !Special.Any(p => p.Contains(ip)) && !ownPodCidrs.Any(p => p.Contains(ip));

    private static int? Port(V1EndpointSlice slice)
    {
        Discoveryv1EndpointPort[] ports =
            [.. (slice.Ports ?? []).Where(p => p is { Protocol: null or "TCP", Port: > 0 and <= ushort.MaxValue })];
        return (Array.Find(ports, p => p.Name == "https") ?? (ports.Length == 1 ? ports[0] : null))?.Port;
    }
}
