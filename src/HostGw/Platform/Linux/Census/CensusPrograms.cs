using System.Diagnostics;
using System.Runtime.Versioning;
using HostGw.Platform.Linux.Iptables;

namespace HostGw.Platform.Linux.Census;

/// <summary>By when a census has to end, finished or not.</summary>
internal readonly struct Deadline(TimeSpan budget)
{
    private readonly long _start = Stopwatch.GetTimestamp();

    public bool IsPast => Stopwatch.GetElapsedTime(_start) > budget;
}

/// <summary>
/// Reads tables of iptables with its programs. One that hangs takes the time of the pass: after a failure its flavour is not run for
/// some minutes, even if something wakes the agent.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class CensusPrograms(IptablesPrograms[] all)
{
    public static readonly TimeSpan Pause = TimeSpan.FromMinutes(10);

    private readonly Dictionary<IptablesFlavour, (string Unknown, Deadline Pause)> _failed = [];

    public IEnumerable<IptablesPrograms> Legacy => all.Where(p => p.Flavour == IptablesFlavour.Legacy);

    public IptablesPrograms? Nft(bool ipv4) => all.FirstOrDefault(p => p.Flavour == IptablesFlavour.Nft && p.AreInstalled(ipv4));

    /// <param name="unknown">Receives what is not known because the table could not be read.</param>
    public SavedTable? Read(IptablesPrograms programs, bool ipv4, string table, List<string> unknown)
    {
        string? why = null;
        if (_failed.TryGetValue(programs.Flavour, out (string Unknown, Deadline Pause) failed) && !failed.Pause.IsPast)
            why = failed.Unknown;
        if (why is null)
        {
            try
            {
                return programs.Read(ipv4, table, new(table, static (_, _) => true));
            }
            catch (IptablesException e)
            {
                why = Unknown(programs, ipv4, e.Message);
                if (!e.IsOfOneTable)
                    _failed[programs.Flavour] = (why, new(Pause));
            }
        }
        if (!unknown.Contains(why))
            unknown.Add(why);
        return null;
    }

    private static string Unknown(IptablesPrograms programs, bool ipv4, string why) =>
        $"{programs.Name}, {(ipv4 ? "IPv4" : "IPv6")}: whether a rule drops or masquerades traffic from pod to pod is unknown ({why})";
}
