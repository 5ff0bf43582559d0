using System.Text.Encodings.Web;
using System.Text.Json;

namespace HostGw;

/// <summary>How JSON for people looks.</summary>
internal static class JsonForm
{
    // Relaxed: quotes and "+" as they are. What it does not escape is dangerous only inside HTML, where this never lands.
    public static JsonWriterOptions Readable { get; } = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
