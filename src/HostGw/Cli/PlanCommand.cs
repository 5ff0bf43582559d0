using System.CommandLine;
using HostGw.Settings;

namespace HostGw.Cli;

/// <summary>Shows what the agent would change on this host. Changes nothing.</summary>
internal static class PlanCommand
{
    public static Command Create()
    {
        Option<string> output = OutputOption.Create();
        Option<bool> exitCode = new("--exit-code")
        {
            Description = $"End with exit code {ExitCodes.Difference} if something would change, or stands in the way",
        };
        Command command = CommandLine.Create(
            "plan", "Show what the agent would change on this host, and why some nodes get no route. Changes nothing.", UsedBy.Plan,
            async (settings, parsed, cancellationToken) =>
            {
                Preview preview = await Preview.TakeAsync(settings, cancellationToken);
                TextWriter console = parsed.InvocationConfiguration.Output;
                if (parsed.GetValue(output) == OutputOption.Json)
                    console.WriteLine(PreviewJson.Write(preview));
                else
                    PreviewText.Write(preview, console);
                return parsed.GetValue(exitCode) && !preview.IsInOrder ? ExitCodes.Difference : ExitCodes.Done;
            });
        command.Options.Add(output);
        command.Options.Add(exitCode);
        return command;
    }
}
