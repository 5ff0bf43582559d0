using HostGw.Settings;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Serilog.Core;

namespace HostGw.Hosting;

/// <summary>Follows log.level in the settings file, so that an agent can be debugged without a restart.</summary>
/// <param name="read">Reads all settings again.</param>
internal sealed class LogLevelReloader(
    string path, Func<LogLevel> read, LoggingLevelSwitch current, TimeProvider time, ILogger<LogLevelReloader> logger) : BackgroundService
{
    // Polled, not watched: kubelet swaps a symbolic link, inotify instances may run out, and reading a small file is cheap.
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private LogLevel? _level;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        byte[]? seen = Content();
        Follow(isChange: false);
        while (true)
        {
            await Task.Delay(Interval, time, stoppingToken);
            byte[]? content = Content();
            if (content.AsSpan().SequenceEqual(seen) && (content is null) == (seen is null))
                continue;
            seen = content;
            Follow(isChange: true);
        }
    }

    private void Follow(bool isChange)
    {
        try
        {
            LogLevel now = read(), before = _level ?? now;
            _level = now;
            // Logged at whichever of the two levels shows it.
            if (now > before)
                logger.LogLevelChanged(Name(now), Name(before), path);
            current.MinimumLevel = Logging.Level(now);
            if (now < before)
                logger.LogLevelChanged(Name(now), Name(before), path);
            else if (now == before && isChange)
                logger.SettingsFileChanged(path);
        }
        catch (SettingsException e)
        {
            logger.SettingsFileWrong(path, string.Join("; ", e.Errors));
        }
    }

    private static string Name(LogLevel level) => level.ToString().ToLowerInvariant();

    private byte[]? Content()
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // Reading the settings reports why.
        }
    }
}
