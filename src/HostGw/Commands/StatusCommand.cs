using System.CommandLine;
using System.Text;
using System.Text.Json;
using HostGw.Settings;
using HostGw.Status;

namespace HostGw.Commands;

/// <summary>Asks the agent on this host how it is.</summary>
internal static class StatusCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public static Command Create()
    {
        Option<string> output = OutputOption.Create();
        Command command = CommandLine.Create(
            "status", "Ask the agent on this host: is it ready, and what became of every node.", UsedBy.Status,
            (settings, parsed, cancellationToken) => RunAsync(settings.Listen, parsed.GetValue(output) == OutputOption.Json, parsed.InvocationConfiguration, cancellationToken));
        command.Options.Add(output);
        return command;
    }

    private static async Task<int> RunAsync(IPEndPoint listen, bool asJson, InvocationConfiguration console, CancellationToken cancellationToken)
    {
        try
        {
            using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = Patience };
            byte[] answer = await client.GetByteArrayAsync($"http://{Reachable(listen)}/status", cancellationToken);
            return Show(answer, listen, asJson, console);
        }
        catch (Exception e) when (e is HttpRequestException || (e is TaskCanceledException && !cancellationToken.IsCancellationRequested))
        {
            await console.Error.WriteLineAsync($"No agent answers on {listen} ({e.Message}): is it running, and is the setting listen the same?");
            return ExitCodes.Failed;
        }
    }

    private static int Show(byte[] answer, IPEndPoint listen, bool asJson, InvocationConfiguration console)
    {
        using JsonDocument? status = Parse(answer);
        if (status is null)
        {
            console.Error.WriteLine($"What answers on {listen} is no agent of this version (hostgw {AgentVersion.Full})");
            return ExitCodes.Failed;
        }
        if (asJson)
            console.Output.Write(Encoding.UTF8.GetString(answer));
        else
            StatusText.Write(status.RootElement, console.Output);
        return ExitCodes.Done;
    }

    private static JsonDocument? Parse(byte[] answer)
    {
        try
        {
            var status = JsonDocument.Parse(answer);
            bool known = status.RootElement.ValueKind == JsonValueKind.Object &&
                status.RootElement.TryGetProperty("schemaVersion", out JsonElement version) && version.ValueKind == JsonValueKind.Number && version.TryGetInt32(out int number) && number == StatusJson.SchemaVersion;
            return known ? status : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    // An agent that listens on all addresses is asked on loopback.
    private static IPEndPoint Reachable(IPEndPoint listen) =>
        listen.Address.Equals(IPAddress.Any) ? new(IPAddress.Loopback, listen.Port)
        : listen.Address.Equals(IPAddress.IPv6Any) ? new(IPAddress.IPv6Loopback, listen.Port)
        : listen;
}
