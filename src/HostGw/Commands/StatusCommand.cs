using System.CommandLine;
using System.Text.Json;
using HostGw.Settings;

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
            (settings, parsed, cancellationToken) => RunAsync(settings.Listen, parsed.GetValue(output) == OutputOption.Json, cancellationToken));
        command.Options.Add(output);
        return command;
    }

    private static async Task<int> RunAsync(IPEndPoint listen, bool asJson, CancellationToken cancellationToken)
    {
        byte[] answer;
        try
        {
            using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = Patience };
            answer = await client.GetByteArrayAsync($"http://{Reachable(listen)}/status", cancellationToken);
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            await Console.Error.WriteLineAsync($"No agent answers on {listen} ({e.Message}): is it running, and is the setting listen the same?");
            return ExitCodes.Failed;
        }
        if (asJson)
        {
            await Console.OpenStandardOutput().WriteAsync(answer, cancellationToken);
            Console.WriteLine();
            return ExitCodes.Done;
        }
        using JsonDocument status = JsonDocument.Parse(answer);
        StatusText.Write(status.RootElement, Console.Out);
        return ExitCodes.Done;
    }

    // An agent that listens on all addresses is asked on loopback.
    private static IPEndPoint Reachable(IPEndPoint listen) =>
        listen.Address.Equals(IPAddress.Any) ? new(IPAddress.Loopback, listen.Port)
        : listen.Address.Equals(IPAddress.IPv6Any) ? new(IPAddress.IPv6Loopback, listen.Port)
        : listen;
}
