using System.Collections.Immutable;
using System.Text.Json;
using HostGw.Planning;

namespace HostGw.Platform.Windows.Hns;

/// <summary>The masquerade rule of Windows: a policy of each pod's own endpoint. Pure.</summary>
internal static class OutBoundNat
{
    public const string PolicyType = "OutBoundNAT";

    private static readonly Prefix Multicast = Prefix.Parse("224.0.0.0/4");

    /// <summary>The destinations that see the pod's own address; null: all do, for there is no such policy.</summary>
    public static IReadOnlyList<string>? ExceptionsOf(NatPlan? nat) =>
        nat is { IPv4: true } ? [.. nat.Exempt.Where(p => p.IsIPv4 && p != Multicast).Select(p => p.ToString())] : null;

    public static void Write(Utf8JsonWriter json, IEnumerable<string> exceptions)
    {
        json.WriteStartObject();
        json.WriteString("Type", PolicyType);
        json.WriteStartObject("Settings");
        json.WriteStartArray("Exceptions");
        foreach (string exception in exceptions)
            json.WriteStringValue(exception);
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>Pods' endpoints on this host whose policy is missing or differs. Of several policies, as two families have, none is touched.</summary>
    public static ImmutableArray<HnsEndpoint> Wrong(HnsNetwork network, IReadOnlyList<string> exceptions, IEnumerable<HnsEndpoint> endpoints)
    {
        Ip host = PodGateway.Of(network.Subnet, isWindows: true);
        return
        [
            .. endpoints.Where(e => e.Network == network.Id && e.Address.IsIPv4 && e.Address != host && !e.IsRemote)
                .Where(e => e.NatExceptions.Length == 0 || (e.NatExceptions.Length == 1 && !exceptions.ToHashSet().SetEquals(e.NatExceptions[0])))
                .OrderBy(e => e.Address),
        ];
    }
}
