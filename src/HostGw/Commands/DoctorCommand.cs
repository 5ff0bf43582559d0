using System.CommandLine;
using HostGw.Diagnosis;
using HostGw.Platform;
using HostGw.Settings;

namespace HostGw.Commands;

/// <summary>Says what is wrong with this host or its cluster, and the cure. Writes nothing.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        Option<string> output = OutputOption.Create();
        Option<bool> probe = new("--probe") { Description = "Ask for every next hop anew (ARP, neighbour discovery) and wait for the answers, up to 10 seconds" };
        Command command = CommandLine.Create(
            "doctor", $"Look for what keeps pods of other nodes from being reached, and say the cure. Changes nothing. Ends with exit code {ExitCodes.Difference} if it finds something.", UsedBy.Doctor,
            async (settings, parsed, cancellationToken) =>
            {
                using IHostNetwork host = HostPlatform.Open(settings);
                IReadOnlyList<Finding> findings = Findings.Of(await Checkup.TakeAsync(settings, host, parsed.GetValue(probe), cancellationToken));
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
