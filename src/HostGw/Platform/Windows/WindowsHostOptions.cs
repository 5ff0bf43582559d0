using System.Collections.Immutable;
using HostGw.Planning;
using HostGw.Platform.Cni;

namespace HostGw.Platform.Windows;

/// <summary>What a Windows host needs to be told.</summary>
internal sealed record WindowsHostOptions
{
    /// <summary>Where the record of our routes is kept.</summary>
    public required string StateDirectory { get; init; }

    /// <summary>Name of the pods' HNS network.</summary>
    public required string Network { get; init; }

    /// <summary>Make that network where it is missing.</summary>
    public bool CreateNetwork { get; init; }

    /// <summary>Keep the policy OutBoundNAT right on the endpoints of pods that run, too.</summary>
    public bool CorrectOutBoundNat { get; init; }

    public CniOptions Cni { get; init; } = new();

    public Func<IReadOnlyList<Ip>> Resolvers { get; init; } = static () => [];

    /// <summary>The host's own interface in that network, as start-kubelet.ps1 and as flannel name it.</summary>
    public ImmutableArray<string> PodEndpoints => [$"vEthernet ({Network})", $"vEthernet ({Network}_ep)"];
}
