using System.Collections.Immutable;
using System.Runtime.Versioning;
using HostGw.Planning;

namespace HostGw.Platform.Windows.Hns;

/// <summary>Keeps the policy OutBoundNAT of pods that run: the CNI plugin sets it once, when a pod starts.</summary>
[SupportedOSPlatform("windows")]
internal static class EndpointNat
{
    /// <summary>What <see cref="Apply"/> would do, in words; empty: nothing.</summary>
    /// <param name="network">Name of the pods' HNS network.</param>
    /// <param name="nat">Null: endpoints stay as they are.</param>
    /// <exception cref="WindowsException">HNS cannot be asked.</exception>
    public static string Preview(string network, NatPlan? nat) => Describe(Wrong(network, OutBoundNat.ExceptionsOf(nat)));

    /// <returns>What was done, in words; empty: nothing.</returns>
    /// <exception cref="WindowsException">HNS refused; endpoints before that one are done.</exception>
    public static string Apply(string network, NatPlan? nat)
    {
        IReadOnlyList<string>? exceptions = OutBoundNat.ExceptionsOf(nat);
        ImmutableArray<HnsEndpoint> wrong = Wrong(network, exceptions);
        foreach (HnsEndpoint endpoint in wrong)
            HnsClient.ModifyEndpoint(endpoint.Id, HnsDocuments.UpdateNat(exceptions!));
        return Describe(wrong);
    }

    private static ImmutableArray<HnsEndpoint> Wrong(string name, IReadOnlyList<string>? exceptions) =>
        exceptions is not null && HnsClient.Networks().FirstOrDefault(n => n.Name == name) is { Subnet.IsNone: false } network
            ? OutBoundNat.Wrong(network, exceptions, HnsClient.Endpoints())
            : [];

    private static string Describe(ImmutableArray<HnsEndpoint> wrong) =>
        wrong.IsEmpty ? "" : $"set OutBoundNAT of the endpoints {string.Join(", ", wrong.Select(e => e.Address))}";
}
