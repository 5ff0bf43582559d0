using System.Text;
using System.Text.Json;
using HostGw.Diagnosis;

namespace HostGw.Commands;

/// <summary>What the doctor found, for people and for programs.</summary>
internal static class FindingsForm
{
    private const int SchemaVersion = 1;

    public static void Text(IReadOnlyList<Finding> findings, TextWriter output)
    {
        foreach (Finding finding in findings)
        {
            // Names from the API server must not reach the terminal as orders to it.
            output.WriteLine($"! {finding.Rule}: {Quoted.Visible(finding.Problem)}");
            output.WriteLine($"    {Quoted.Visible(finding.Cure)}");
        }
        output.WriteLine(findings.Count == 0 ? "Nothing is wrong as far as can be seen from this host." : $"{findings.Count} found.");
    }

    public static string Json(string node, IReadOnlyList<Finding> findings)
    {
        return Encoding.UTF8.GetString(JsonForm.Object(json =>
        {
            json.WriteNumber("schemaVersion", SchemaVersion);
            json.WriteString("node", node);
            json.WriteStartArray("findings");
            foreach (Finding finding in findings)
            {
                json.WriteStartObject();
                json.WriteString("rule", finding.Rule);
                json.WriteString("problem", finding.Problem);
                json.WriteString("cure", finding.Cure);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }, JsonForm.Readable).Span);
    }
}
