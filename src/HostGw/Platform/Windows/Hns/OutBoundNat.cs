using System.Collections.Immutable;
using System.Runtime.Versioning;
using System.Text.Json;
using HostGw.Planning;

namespace HostGw.Platform.Windows.Hns;

/// <summary>The policy OutBoundNAT: masquerading on Windows, set on each pod's endpoint. Pure.</summary>
internal static class OutBoundNat
{
    public const string PolicyType = "OutBoundNAT";

    private static readonly Prefix Multicast = Prefix.Parse("224.0.0.0/4");

    /// <summary>The destinations that see the pod's own address; null: no policy is wanted.</summary>
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

    /// <summary>Endpoints of this host's pods whose policy is missing or differs, except those with several (dual-stack).</summary>
    public static ImmutableArray<HnsEndpoint> Wrong(
        HnsNetwork network, IReadOnlyList<string> exceptions, IEnumerable<HnsEndpoint> endpoints)
    {
        Ip host = PodGateway.Of(network.Subnet, isWindows: true);
        return
        [
            .. endpoints.Where(e => e.Network == network.Id && e.Address.IsIPv4 && e.Address != host && !e.IsRemote)
                .Where(e => e.NatExceptions.Length == 0
                    || (e.NatExceptions.Length == 1 && !exceptions.ToHashSet().SetEquals(e.NatExceptions[0])))
                .OrderBy(e => e.Address),
        ];
    }
}

/// <summary>Keeps OutBoundNAT of running pods up to date: the CNI plugin sets it only when a pod starts.</summary>
[SupportedOSPlatform("windows")]
internal static class EndpointNat
{
    /// <summary>Describes what <see cref="Apply"/> would do; empty: nothing.</summary>
    /// <param name="network">Name of the pods' HNS network.</param>
    /// <param name="nat">Null: no endpoint is changed.</param>
    /// <param name="unreadable">Gets the errors of HNS's objects that cannot be read.</param>
    /// <exception cref="WindowsException">HNS answered with an error.</exception>
    public static string Preview(string network, NatPlan? nat, List<WindowsException> unreadable) =>
        Describe(Wrong(network, OutBoundNat.ExceptionsOf(nat), unreadable));

    /// <returns>Describes what was done; empty: nothing.</returns>
    /// <exception cref="WindowsException">HNS answered with an error. The other endpoints are changed.</exception>
    public static string Apply(string network, NatPlan? nat, List<WindowsException> unreadable)
    {
        IReadOnlyList<string>? exceptions = OutBoundNat.ExceptionsOf(nat);
        List<HnsEndpoint> changed = [];
        WindowsException? refusal = null;
        foreach (HnsEndpoint endpoint in Wrong(network, exceptions, unreadable))
        {
            try
            {
                HnsClient.ModifyEndpoint(endpoint.Id, HnsDocuments.UpdateNat(exceptions!));
                changed.Add(endpoint);
            }
            catch (WindowsException e) when (e.IsNotFound)
            {
                // Its pod has ended since the list was read.
            }
            catch (WindowsException e)
            {
                refusal ??= e;
            }
        }
        return refusal is null ? Describe([.. changed]) : throw refusal;
    }

    private static ImmutableArray<HnsEndpoint> Wrong(
        string name, IReadOnlyList<string>? exceptions, List<WindowsException> unreadable) =>
        exceptions is not null && HnsClient.Networks(unreadable).FirstOrDefault(n => n.Name == name) is { Subnet.IsNone: false } network
            ? OutBoundNat.Wrong(network, exceptions, HnsClient.Endpoints(unreadable))
            : [];

    private static string Describe(ImmutableArray<HnsEndpoint> wrong) =>
        wrong.IsEmpty ? "" : $"set OutBoundNAT of the endpoints {string.Join(", ", wrong.Select(e => e.Address))}";
}
