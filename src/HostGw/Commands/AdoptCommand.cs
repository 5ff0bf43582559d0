using System.CommandLine;
using HostGw.Settings;

namespace HostGw.Commands;

/// <summary>Shows which routes of others the agent would take over. Writes nothing.</summary>
internal static class AdoptCommand
{
    public static Command Create() => CommandLine.Create(
        "adopt", "Show which routes made by others (flannel, or by hand) the agent would take over, and which it leaves. Changes nothing.", UsedBy.Adopt,
        async (settings, parsed, cancellationToken) =>
        {
            AdoptText.Write(await Preview.TakeAsync(settings, cancellationToken), parsed.InvocationConfiguration.Output);
            return ExitCodes.Done;
        });
}
