using System.Text.RegularExpressions;
using HostGw.Lab.Tests.Image;

namespace HostGw.Lab.Tests;

/// <summary>The list of what can be broken, against the rules of the doctor. Breaking itself: <see cref="DoctorTests"/>.</summary>
public sealed partial class BreakageTests
{
    // HostGw.Tests compares that page with the rules.
    [Fact]
    public void Every_rule_of_the_doctor_can_be_broken_or_it_is_said_why_not()
    {
        string page = File.ReadAllText(Path.Combine(BuiltImage.Repository, "docs/doctor.md"));
        string[] rules = [.. RuleRow().Matches(page).SelectMany(m => m.Groups[1].Captures.Select(c => c.Value)).Order(StringComparer.Ordinal)];

        Assert.Equal(
            rules, Breakage.All.Select(b => b.Rule).Distinct().Concat(Breakage.NotHere.Select(n => n.Rule)).Order(StringComparer.Ordinal));
        Assert.All(Breakage.NotHere, n => Assert.Contains($"`{n.Rule}`", page[page.IndexOf("## Try it", StringComparison.Ordinal)..], StringComparison.Ordinal));
    }

    [GeneratedRegex(@"^\|(?: `(\w+)`,?)+ \|", RegexOptions.Multiline)]
    private static partial Regex RuleRow();
}
