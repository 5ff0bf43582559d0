using HostGw.Hosting;
using HostGw.Settings;
using HostGw.Tests.Kubernetes;
using HostGw.Tests.Reconciliation;
using Microsoft.Extensions.Logging;
using Serilog.Core;
using Serilog.Events;

namespace HostGw.Tests.Hosting;

public sealed class LogLevelReloaderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ManualTime _time = new();
    private readonly LogLines _log = new();
    private readonly LoggingLevelSwitch _level = new(LogEventLevel.Information);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_level_follows_the_file_and_each_change_is_said_once()
    {
        File.WriteAllText(_folder["file"], "information");
        using LogLevelReloader follower = await StartAsync();

        Assert.Equal((LogEventLevel.Information, ""), await LookAsync());
        File.WriteAllText(_folder["file"], "debug");
        Assert.Equal((LogEventLevel.Debug, "Information 906 Log level changed from information to debug: FILE changed"), await LookAsync());
        Assert.Equal((LogEventLevel.Debug, ""), await LookAsync());
        File.WriteAllText(_folder["file"], "rubbish");
        Assert.Equal((LogEventLevel.Debug, "Warning 908 FILE changed and cannot be used, log.level is kept: no level: rubbish"), await LookAsync());
        File.WriteAllText(_folder["file"], "debug # and another setting");
        Assert.Equal((LogEventLevel.Debug, "Information 907 FILE changed: log.level is the same, other settings take effect at the next start"), await LookAsync());
        File.Delete(_folder["file"]);
        Assert.Equal((LogEventLevel.Information, "Information 906 Log level changed from debug to information: FILE changed"), await LookAsync());
        await follower.StopAsync(TestContext.Current.CancellationToken);
    }

    private async Task<LogLevelReloader> StartAsync()
    {
        var follower = new LogLevelReloader(_folder["file"], Read, _level, _time, new Typed<LogLevelReloader>(_log));
        await follower.StartAsync(TestContext.Current.CancellationToken);
        await _time.AwaitedAsync(LogLevelReloader.Interval);
        return follower;
    }

    private LogLevel Read()
    {
        string text = File.Exists(_folder["file"]) ? File.ReadAllText(_folder["file"]).Split(' ')[0] : "information";
        return Enum.TryParse(text, ignoreCase: true, out LogLevel level) ? level : throw new SettingsException([$"no level: {text}"]);
    }

    private async Task<(LogEventLevel Level, string Said)> LookAsync()
    {
        await _time.AwaitedAsync(LogLevelReloader.Interval);
        _time.Advance(LogLevelReloader.Interval);
        await _time.AwaitedAsync(LogLevelReloader.Interval);
        return (_level.MinimumLevel, string.Join('\n', _log.Take()).Replace(_folder["file"], "FILE", StringComparison.Ordinal));
    }
}
