using System.Collections.Immutable;
using HostGw.Planning;

namespace HostGw.Platform.Cni;

/// <summary>What our CNI configuration is on one operating system.</summary>
/// <param name="Plugins">File names of the plugins that it needs.</param>
/// <param name="Install">How one gets them.</param>
internal sealed record CniFormat(ImmutableArray<string> Plugins, string Install, Func<CniPlan, byte[]> Write);
