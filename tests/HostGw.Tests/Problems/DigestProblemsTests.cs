using HostGw.Planning;
using HostGw.Problems;

namespace HostGw.Tests.Problems;

public class DigestProblemsTests
{
    [Theory]
    [InlineData(3, "3 shards of the node digest are rejected (s0, s1, s2 in")]
    [InlineData(4, "4 shards of the node digest are rejected (s0, s1, s2 and 1 more in")]
    public void Rejected_shards_are_one_problem_with_the_count_and_the_first_names(int count, string text)
    {
        RejectedShard[] shards =
            [.. Enumerable.Range(0, count).Select(i => new RejectedShard($"s{i}", i == 0 ? "it was edited" : "missing"))];
        Problem rejected = Assert.Single(DigestProblems.Of(new([.. shards], IsPartial: false, 42)));
        Assert.Equal("DigestShardRejected", rejected.Rule);
        Assert.StartsWith($"{text} namespace hostgw-digest); the first: it was edited. ", rejected.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_digest_that_is_followed_or_not_used_is_no_problem()
    {
        Assert.Empty(DigestProblems.Of(null));
        Assert.Empty(DigestProblems.Of(new([], IsPartial: false, 42)));
    }
}
