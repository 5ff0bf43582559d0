using System.Globalization;

namespace HostGw.Tests.Fuzzing;

/// <summary>Every parser of what others write, with inputs that nobody meant. `make fuzz` runs many more, with another seed each time.</summary>
[Trait("Speed", "slow")]
public class FuzzTests
{
    private static readonly int Iterations = Variable("FUZZ_ITERATIONS", 1000);
    private static readonly int Seed = Variable("FUZZ_SEED", 1);

    private static readonly FuzzTarget[] All = [.. NodeTargets.All, .. NetlinkTargets.All, .. FileTargets.All];

    public static TheoryData<string> Names => [.. All.Select(t => t.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void It_keeps_its_word_whatever_it_is_given(string parser)
    {
        FuzzTarget target = All.Single(t => t.Name == parser);
        Assert.NotEmpty(target.Corpus);
        target.Fuzz(Seed, Iterations);
    }

    [Fact]
    public void A_parser_that_breaks_its_word_is_caught_and_its_input_is_kept()
    {
        FuzzTarget throws = new("throws", [[1, 2, 3]], [], bytes => ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes.Length, 10));
        FuzzTarget hoards = new("hoards", [[1, 2, 3]], [], bytes => GC.KeepAlive(new byte[bytes.Length > 10 ? 2_000_000 : 0]));

        foreach (FuzzTarget target in (FuzzTarget[])[throws, hoards])
        {
            string message = Assert.Throws<FuzzException>(() => target.Fuzz(1, 1000)).Message;
            Assert.StartsWith($"{target.Name}, seed 1, iteration ", message, StringComparison.Ordinal);
            byte[] kept = File.ReadAllBytes(message.Split("input kept as ")[1].Split('\n')[0]);
            Assert.True(kept.Length > 10);
        }
    }

    private static int Variable(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
