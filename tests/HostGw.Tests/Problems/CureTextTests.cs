using System.Text;
using HostGw.Platform;
using HostGw.Problems;
using HostGw.Tests.Architecture;

namespace HostGw.Tests.Problems;

/// <summary>Every sentence about a problem or its cure comes up in a test: one that is added without a test fails here.</summary>
public class CureTextTests
{
    private const int Sentence = 14;

    // Not shown by any state that these tests make.
    private static readonly string[] Unreachable =
    [
        // PodCidrGuard refuses such podCIDRs first.
        "give the node a podCIDR of /30 or shorter, or set nextHop to NodeAddress",
    ];

    [Fact]
    public void Every_sentence_of_a_problem_is_seen_in_a_test()
    {
        StringBuilder seen = new();
        IEnumerable<Problem> found = DoctorTests.AllStates().SelectMany(s => Doctor.Examine(s())).Concat(CatalogueCureTests.Found())
            .Concat(Enum.GetValues<HostPart>().Select(CatalogueCureTests.Refused)).Concat(ProblemCatalog.All(CatalogueCureTests.Saved()))
            .Concat(ProblemCatalog.All(CatalogueCureTests.NotReceived())).Concat(ProblemCatalog.All(CatalogueCureTests.GuardsUndone()));
        foreach (Problem problem in found)
            seen.AppendLine(problem.Text).AppendLine(problem.Cure);
        string all = seen.ToString();
        IEnumerable<string> unseen = Repository.Sources().Where(f => f.Path.StartsWith("Problems/", StringComparison.Ordinal))
            .SelectMany(f => Literals(f.Text)).Where(l => l.Length >= Sentence && l.Contains(' ', StringComparison.Ordinal))
            .Where(l => !all.Contains(l, StringComparison.Ordinal)).Except(Unreachable);
        Assert.True(!unseen.Any(), string.Join('\n', unseen));
    }

    [Fact]
    public void Strings_are_found_in_sources() => Assert.Equal(
        ["a b", "c ", "e", " d ", " {f}"],
        Literals("x(\"a b\", $\"c {y(\"e\")} d {1:n}\"); // \"g\"\nz = '\"' + $\" {{f}}\";"));

    /// <summary>The text of all strings, of interpolated ones between the holes, and of the strings in these.</summary>
    private static IEnumerable<string> Literals(string source)
    {
        List<string> found = [];
        int at = 0;
        ReadCode(source, ref at, found, inHole: false);
        return found.Where(l => l.Length > 0);
    }

    private static void ReadCode(string source, ref int at, List<string> found, bool inHole)
    {
        for (int depth = 0; at < source.Length; at++)
        {
            char c = source[at];
            if (c == '/' && source.AsSpan(at).StartsWith("//"))
                at = source.IndexOf('\n', at) is >= 0 and int end ? end : source.Length;
            else if (c == '\'')
                at = source.IndexOf('\'', at + (source[at + 1] == '\\' ? 3 : 2));
            else if (c == '"')
                ReadString(source, ref at, found, at > 0 && source[at - 1] == '$');
            else if (c is '{' or '(')
                depth++;
            else if (c is '}' or ')' && --depth < 0 && inHole)
                return;
        }
    }

    private static void ReadString(string source, ref int at, List<string> found, bool isInterpolated)
    {
        StringBuilder text = new();
        for (at++; source[at] != '"'; at++)
        {
            char c = source[at];
            bool isDoubled = isInterpolated && c is '{' or '}' && source[at + 1] == c;
            if (isInterpolated && c == '{' && !isDoubled)
            {
                found.Add(text.ToString());
                text.Clear();
                at++;
                ReadCode(source, ref at, found, inHole: true);
            }
            else
            {
                text.Append(c == '\\' && source[at + 1] is '\\' or '"' ? source[++at] : c);
                at += isDoubled ? 1 : 0;
            }
        }
        found.Add(text.ToString());
    }
}
