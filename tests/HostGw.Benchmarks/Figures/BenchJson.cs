using System.Text.Encodings.Web;
using System.Text.Json;

namespace HostGw.Benchmarks.Figures;

/// <summary>Figures for programs: artifacts/bench.json.</summary>
internal static class BenchJson
{
    private const int SchemaVersion = 1;

    private static readonly JsonWriterOptions Readable = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Write(Stream output, Run run, IEnumerable<Figure> figures)
    {
        using var json = new Utf8JsonWriter(output, Readable);
        json.WriteStartObject();
        json.WriteNumber("schemaVersion", SchemaVersion);
        json.WriteString("version", run.Version);
        json.WriteStartObject("builds");
        foreach ((string build, string version) in run.Builds)
            json.WriteString(build, version);
        json.WriteEndObject();
        json.WriteString("date", run.Date.UtcDateTime);
        WriteMachine(json, run.Machine);
        json.WriteStartArray("figures");
        foreach (Figure figure in figures)
            WriteFigure(json, figure);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteMachine(Utf8JsonWriter json, MachineFacts machine)
    {
        json.WriteStartObject("machine");
        json.WriteString("cpu", machine.Cpu);
        json.WriteNumber("cores", machine.Cores);
        json.WriteString("kernel", machine.Kernel);
        json.WriteNumber("memoryBytes", machine.MemoryBytes);
        json.WriteNumber("loadBefore", machine.Load);
        json.WriteEndObject();
    }

    private static void WriteFigure(Utf8JsonWriter json, Figure figure)
    {
        json.WriteStartObject();
        json.WriteString("name", figure.Name);
        json.WriteString("unit", figure.Unit);
        if (figure.Build.Length > 0)
            json.WriteString("build", figure.Build);
        if (figure.Size is { } size)
            json.WriteNumber("size", size);
        WriteNumber(json, "median", figure.Values.Median);
        WriteNumber(json, "p99", figure.Values.P99);
        WriteNumber(json, "max", figure.Values.Max);
        json.WriteNumber("samples", figure.Values.Count);
        WritePeers(json, figure.Peers);
        WriteBudget(json, figure);
        json.WriteEndObject();
    }

    private static void WritePeers(Utf8JsonWriter json, IReadOnlyList<Peer> peers)
    {
        if (peers.Count == 0)
            return;
        json.WriteStartObject("peers");
        foreach (Peer peer in peers)
            WriteNumber(json, peer.Name, peer.Value);
        json.WriteEndObject();
    }

    private static void WriteBudget(Utf8JsonWriter json, Figure figure)
    {
        if (figure.Budget is not { } budget)
            return;
        json.WriteStartObject("budget");
        json.WriteString("of", JsonNamingPolicy.CamelCase.ConvertName(budget.Of.ToString()));
        json.WriteNumber(budget.IsLeast ? "atLeast" : "atMost", budget.Limit);
        json.WriteBoolean("holds", figure.Holds == true);
        json.WriteEndObject();
    }

    // JSON has no NaN: what could not be measured, for the processor was slow all the time.
    private static void WriteNumber(Utf8JsonWriter json, string name, double value)
    {
        if (double.IsFinite(value))
            json.WriteNumber(name, Math.Round(value, 4));
        else
            json.WriteNull(name);
    }
}

/// <summary>Where, when and of what the figures are.</summary>
/// <param name="Version">VERSION+COMMIT of the sources.</param>
/// <param name="Builds">The published agents by name, each with its own version.</param>
internal sealed record Run(MachineFacts Machine, string Version, IReadOnlyDictionary<string, string> Builds, DateTimeOffset Date);
