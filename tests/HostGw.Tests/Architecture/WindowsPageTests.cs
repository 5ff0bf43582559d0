using HostGw.Windows.Tests.OnWindows;

namespace HostGw.Tests.Architecture;

/// <summary>docs/windows.md lists as open what tests/windows/verify.ps1 asks.</summary>
public class WindowsPageTests
{
    [Fact]
    public void Its_open_questions_are_those_that_are_asked()
    {
        IEnumerable<string> listed = File.ReadLines(Repository.PathTo("docs/windows.md"))
            .SkipWhile(l => !l.StartsWith("| question | yes means |", StringComparison.Ordinal)).Skip(2).TakeWhile(l => l.StartsWith('|'));
        Assert.Equal(Question.All.Where(q => q != Question.Removed).Select(q => $"| {q.Id} | {q.Sentence} |"), listed);
    }
}
