using System.Globalization;
using System.Text;

namespace HostGw.Status;

/// <summary>Writes families of samples in Prometheus' text format.</summary>
/// <remarks>https://prometheus.io/docs/instrumenting/exposition_formats/</remarks>
internal sealed class MetricsWriter
{
    private readonly StringBuilder _text = new(12 * 1024);

    public void Gauge(string name, string help, double value) => Gauge(name, help, ("", value));

    public void Gauge(string name, string help, params ReadOnlySpan<(string Labels, double Value)> samples) => Family(name, "gauge", help, samples);

    public void Counter(string name, string help, double value) => Counter(name, help, ("", value));

    public void Counter(string name, string help, params ReadOnlySpan<(string Labels, double Value)> samples) => Family(name, "counter", help, samples);

    /// <summary>One series for each state, 1 for the one that holds.</summary>
    public void States(string name, string help, string holds, params ReadOnlySpan<string> all)
    {
        Head(name, "gauge", help);
        foreach (string state in all)
            Sample(name, Labels(("state", state)), state == holds ? 1 : 0);
    }

    public void Histogram(string name, string help, params ReadOnlySpan<((string Name, string Value)[] Labels, Histogram Histogram)> series)
    {
        Head(name, "histogram", help);
        foreach (((string Name, string Value)[] labels, Histogram histogram) in series)
        {
            long upTo = 0;
            for (int i = 0; i < Status.Histogram.UpperBounds.Length; i++)
            {
                upTo += histogram.Counts[i];
                Sample($"{name}_bucket", Labels([.. labels, ("le", Number(Status.Histogram.UpperBounds[i]))]), upTo);
            }
            Sample($"{name}_bucket", Labels([.. labels, ("le", "+Inf")]), histogram.Count);
            Sample($"{name}_sum", Labels(labels), histogram.SumSeconds);
            Sample($"{name}_count", Labels(labels), histogram.Count);
        }
    }

    public static string Labels(params ReadOnlySpan<(string Name, string Value)> labels)
    {
        if (labels.IsEmpty)
            return "";
        var text = new StringBuilder("{");
        foreach ((string name, string value) in labels)
            text.Append(text.Length > 1 ? "," : "").Append(name).Append("=\"").Append(Escaped(value)).Append('"');
        return text.Append('}').ToString();
    }

    public override string ToString() => _text.ToString();

    private void Family(string name, string type, string help, ReadOnlySpan<(string Labels, double Value)> samples)
    {
        Head(name, type, help);
        foreach ((string labels, double value) in samples)
            Sample(name, labels, value);
    }

    private void Head(string name, string type, string help)
    {
        _text.Append("# HELP ").Append(name).Append(' ').Append(help).Append('\n');
        _text.Append("# TYPE ").Append(name).Append(' ').Append(type).Append('\n');
    }

    private void Sample(string name, string labels, double value) =>
        _text.Append(name).Append(labels).Append(' ').Append(Number(value)).Append('\n');

    private static string Number(double value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Escaped(string value) => value
        .Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
}
