using System.CommandLine;
using System.Text;
using System.Text.Json;
using HostGw.Diagnosis;
using HostGw.Hosting;
using HostGw.Platform;
using HostGw.Settings;

namespace HostGw.Cli;

/// <summary>Reports what is wrong with this host or its cluster, and the cure. Changes nothing.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        Option<string> output = OutputOption.Create();
        Option<bool> probe = new("--probe")
        {
            Description = "Resolve every next hop again (ARP, neighbour discovery) and wait for the answers, up to 10 seconds",
        };
        Command command = CommandLine.Create(
            "doctor",
            "Look for what keeps pods of other nodes from being reached, and say the cure. Changes nothing. " +
                $"Ends with exit code {ExitCodes.Difference} if it finds something.",
            UsedBy.Doctor,
            async (settings, parsed, cancellationToken) =>
            {
                using IHostNetwork host = HostPlatform.Open(settings);
                IReadOnlyList<Finding> findings =
                    Findings.Of(await Checkup.TakeAsync(settings, host, parsed.GetValue(probe), cancellationToken));
                TextWriter console = parsed.InvocationConfiguration.Output;
                if (parsed.GetValue(output) == OutputOption.Json)
                    console.WriteLine(FindingsForm.Json(settings.NodeName, findings));
                else
                    FindingsForm.Text(findings, console);
                return findings.Count > 0 ? ExitCodes.Difference : ExitCodes.Done;
            });
        command.Options.Add(output);
        command.Options.Add(probe);
        return command;
    }
}

/// <summary>The doctor's findings as text and as JSON.</summary>
internal static class FindingsForm
{
    private const int SchemaVersion = 1;

    public static void Text(IReadOnlyList<Finding> findings, TextWriter output)
    {
        foreach (Finding finding in findings)
        {
            // Names from the API server must not reach the terminal as control sequences.
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
