using System.Globalization;
using HostGw.FakeApi;
using HostGw.Kubernetes;

namespace HostGw.Storms.Readers;

/// <summary>Which readers a process runs, and where they find the API server.</summary>
/// <param name="First">The number of the first one's node.</param>
/// <param name="Whole">How many of them keep all nodes.</param>
/// <param name="Own">How many of the others watch their own Node.</param>
/// <param name="Servers">Plaintext endpoints; each reader uses one of them.</param>
internal sealed record ReaderSettings(int First, int Count, int Whole, int Own, IReadOnlyList<string> Servers, string Token)
{
    public string[] ToArguments() =>
        [ReaderProcess.Command, $"{First}", $"{Count}", $"{Whole}", $"{Own}", string.Join(',', Servers), Token];

    public static ReaderSettings Parse(string[] arguments)
    {
        int[] numbers = [.. arguments[1..5].Select(a => int.Parse(a, CultureInfo.InvariantCulture))];
        return new(numbers[0], numbers[1], numbers[2], numbers[3], arguments[5].Split(','), arguments[6]);
    }
}

/// <summary>The program that runs readers: it obeys the lines of its input, and answers each with one line.</summary>
internal static class ReaderProcess
{
    /// <summary>Its first argument.</summary>
    public const string Command = "readers";

    /// <summary>All begin at once; those that ran are gone.</summary>
    public const string Start = "start";

    public const string Stop = "stop";

    /// <summary>Followed by the path of a file, as <see cref="ExpectedState.Write"/> writes it: counts those that agree with it.</summary>
    public const string Compare = "compare";

    public static int Run(string[] arguments, TextReader input, TextWriter output)
    {
        using var readers = new RunningReaders(ReaderSettings.Parse(arguments));
        while (input.ReadLine() is { } line)
        {
            string[] words = line.Split(' ', 2);
            output.WriteLine(words[0] switch
            {
                Start => readers.Start(),
                Stop => readers.Stop(),
                Compare => readers.Compare(ExpectedState.Read(words[1])).ToString(),
                _ => $"'{line}' is no command",
            });
            output.Flush();
        }
        return 0;
    }
}

/// <summary>How many readers know what they should.</summary>
/// <param name="Agree">With the shards, and with their own Node if they watch it.</param>
/// <param name="Why">What is wrong with one of the others; empty: nothing.</param>
internal readonly record struct Comparison(int Agree, int Count, string Why)
{
    public bool IsWhole => Agree == Count;

    public static Comparison operator +(Comparison a, Comparison b) =>
        new(a.Agree + b.Agree, a.Count + b.Count, a.Why.Length > 0 ? a.Why : b.Why);

    public static Comparison Parse(string line)
    {
        string[] words = line.Split(' ', 3);
        return words.Length == 3 && int.TryParse(words[0], CultureInfo.InvariantCulture, out int agree)
            ? new(agree, int.Parse(words[1], CultureInfo.InvariantCulture), words[2])
            : throw new InvalidOperationException($"a process of readers answers '{line}'");
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Agree} {Count} {Why}");
}

/// <summary>The readers of this process.</summary>
internal sealed class RunningReaders(ReaderSettings settings) : IDisposable
{
    private const string Done = "done";

    private readonly List<Reader> _readers = [];
    private CancellationTokenSource _stop = new();

    public string Start()
    {
        Stop();
        ApiConfiguration[] servers =
        [
            .. settings.Servers.Select(s => new ApiConfiguration
            {
                Server = ApiConfiguration.ParseServer(s),
                Token = CredentialSource.Inline(settings.Token),
            }),
        ];
        for (int i = 0; i < settings.Count; i++)
        {
            string node = NodeFactory.Node(settings.First + i).Name;
            ApiConfiguration server = servers[i % servers.Length];
            _readers.Add(i < settings.Whole
                ? new WholeReader(server, node, _stop.Token)
                : new ThinReader(server, node, watchesOwn: i < settings.Whole + settings.Own, _stop.Token));
        }
        return Done;
    }

    public string Stop()
    {
        _stop.Cancel();
        _readers.ForEach(r => r.Dispose());
        _readers.Clear();
        _stop.Dispose();
        _stop = new();
        return Done;
    }

    public Comparison Compare(ExpectedState expected)
    {
        int agree = 0;
        string why = "";
        foreach (Reader reader in _readers)
        {
            if (reader.Differs(expected) is { } difference)
                why = difference;
            else
                agree++;
        }
        return new(agree, _readers.Count, why);
    }

    public void Dispose()
    {
        Stop();
        _stop.Dispose();
    }
}
