using System.Runtime.Versioning;
using HostGw.Planning;

namespace HostGw.Platform.Linux;

/// <summary>
/// Keeps the guards of probes and tunnel in a table of nf_tables of their own, whatever backend holds the masquerade rule.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class LinuxGuards
{
    /// <summary>Why this host cannot have guards, with the cure; empty: it can.</summary>
    public string Obstacle() => "";

    /// <summary>Before the link and the routes: installs guards, or corrects them.</summary>
    /// <returns>What was done, or would be, in words; empty: nothing.</returns>
    public string Make(GuardPlan? desired, bool writes, Attempts attempts) => "";

    /// <summary>After the routes and the link: removes what is not needed any more.</summary>
    /// <inheritdoc cref="Make"/>
    public string Remove(GuardPlan? desired, bool writes, Attempts attempts) => "";
}
