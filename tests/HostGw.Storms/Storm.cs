using System.Globalization;
using HostGw.FakeApi;

namespace HostGw.Storms;

/// <summary>Something that hits all agents of a large cluster at once. It leaves the site as it found it.</summary>
/// <param name="Name">As on the command line.</param>
internal sealed record Storm(string Name, Func<StormSite, StormReport, Task> RunAsync)
{
    public override string ToString() => Name;
}

/// <summary>What a storm cost, and what did not hold.</summary>
internal sealed class StormReport
{
    private readonly List<string> _facts = [], _failures = [];

    public IReadOnlyList<string> Failures => _failures;

    public void Note(FormattableString fact) => _facts.Add(FormattableString.Invariant(fact));

    public void AtMost(string what, double value, double limit)
    {
        Note($"{what} {value:#,0.##} (at most {limit:#,0.##})");
        if (value > limit)
            _failures.Add(string.Create(CultureInfo.InvariantCulture, $"{what}: {value:#,0.##}, at most {limit:#,0.##} expected"));
    }

    public void Exactly(string what, long value, long expected)
    {
        Note($"{what} {value:#,0}");
        if (value != expected)
            _failures.Add(string.Create(CultureInfo.InvariantCulture, $"{what}: {value:#,0}, {expected:#,0} expected"));
    }

    /// <param name="difference">Null: there is none.</param>
    public void Holds(string what, string? difference)
    {
        if (difference is not null)
            Fail(what, difference);
    }

    public void Fail(string what, string why) => _failures.Add($"{what}: {why}");

    public override string ToString() => string.Join("; ", _facts) + string.Concat(_failures.Select(f => $"\n    FAILED {f}"));
}
