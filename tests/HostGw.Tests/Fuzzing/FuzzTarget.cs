using System.Text;

namespace HostGw.Tests.Fuzzing;

/// <summary>A parser of what others write.</summary>
/// <param name="Corpus">What it is meant to read, and what once broke it.</param>
/// <param name="Tokens">Text that means something to it.</param>
/// <param name="Run">Throws only where the parser breaks its word: exceptions of the parser that are documented stay inside.</param>
/// <param name="BytesPerByte">It may allocate so much for each byte of input, and <see cref="Base"/> besides.</param>
internal sealed record FuzzTarget(string Name, IReadOnlyList<byte[]> Corpus, string[] Tokens, Action<byte[]> Run, int BytesPerByte = 100)
{
    public const int Base = 512 * 1024;

    /// <summary>Runs the corpus as it is, then changed. A failure names the input and how to have it again.</summary>
    public void Fuzz(int seed, int iterations)
    {
        RunAll(Corpus.Select((input, i) => ($"corpus {i}", input)));
        RunAll(Enumerable.Range(0, iterations).Select(i => ($"seed {seed}, iteration {i}", Input(seed, i))));
    }

    // Each is made of its own number: it can be had again without those before it.
    private byte[] Input(int seed, int iteration) =>
        new Mutator(new Random(HashCodeOf(seed, iteration)), Corpus, [.. Tokens.Select(Encoding.UTF8.GetBytes)]).Next();

    private static int HashCodeOf(int seed, int iteration) => unchecked(seed * 486187739 + iteration);

    private void RunAll(IEnumerable<(string Name, byte[] Input)> inputs)
    {
        foreach ((string name, byte[] input) in inputs)
        {
            using var watchdog = new Watchdog($"{Name}, {name}", input);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                Run(input);
            }
            catch (Exception e)
            {
                throw new FuzzException($"{Name}, {name}: {e.GetType().Name}: {e.Message}; input kept as {Watchdog.Keep(Name, input)}\n{Show(input)}", e);
            }
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            if (allocated > Base + (long)input.Length * BytesPerByte)
                throw new FuzzException($"{Name}, {name}: {allocated:N0} bytes allocated for {input.Length:N0}; input kept as {Watchdog.Keep(Name, input)}\n{Show(input)}", null);
        }
    }

    private static string Show(byte[] input) => Convert.ToHexString(input.AsSpan(0, Math.Min(input.Length, 400)));
}

/// <summary>A parser broke its word.</summary>
internal sealed class FuzzException(string message, Exception? inner) : Exception(message, inner);
