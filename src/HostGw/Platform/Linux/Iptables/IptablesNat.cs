using System.Collections.Immutable;
using System.Runtime.Versioning;
using HostGw.Planning;

namespace HostGw.Platform.Linux.Iptables;

/// <summary>The masquerade rule as a chain of iptables.</summary>
[SupportedOSPlatform("linux")]
internal sealed class IptablesNat(IptablesPrograms programs, IptablesPresence presence) : INatBackend
{
    private readonly IptablesNatFamily[] _families =
    [
        new(new(programs, presence, OwnChain.Masquerade, ipv4: true)),
        new(new(programs, presence, OwnChain.Masquerade, ipv4: false)),
    ];

    // What was found right, or made so: nobody announces changes of legacy rules, and reading means running a program.
    private (bool Known, NatPlan? Plan) _verified;

    public string Name => programs.Name;

    public long Writes => programs.Writes;

    public NatWork? Compare(NatPlan? desired, bool anew)
    {
        if (!anew && _verified.Known && Equals(_verified.Plan, desired))
            return null;

        _verified = default;
        NatWork[] work = [.. _families.Select(f => f.Compare(desired)).OfType<NatWork>()];
        if (work.Length == 0)
        {
            _verified = (true, desired);
            return null;
        }
        return new(
            string.Join(", ", work.Select(w => w.What).Distinct()), work.FirstOrDefault(w => w.Begins is not null)?.Begins,
            () => Array.ForEach(work, w => w.Before()),
            () =>
            {
                Array.ForEach(work, w => w.After());
                _verified = (true, desired);
            });
    }
}
