namespace HostGw.Planning;

/// <summary>What a Windows host has that others have not.</summary>
/// <param name="PodEndpoint">The host's own end of the pods' bridge, over which peers are reached, too; null: there is none.</param>
/// <param name="PodEndpointMetric">The metric of our routes there.</param>
internal sealed record WindowsFacts(HostInterface? PodEndpoint, uint PodEndpointMetric);
