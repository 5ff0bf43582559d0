using Microsoft.Extensions.Logging;

namespace HostGw.Tests.Hosting;

/// <summary>A logger that keeps what was said, as "Warning 204 sentence".</summary>
internal sealed class LogLines : ILogger
{
    private readonly Lock _lock = new();
    private readonly List<string> _lines = [];

    public LogLevel Least { get; init; } = LogLevel.Information;

    /// <summary>What was said since the last call.</summary>
    public string[] Take()
    {
        lock (_lock)
        {
            string[] lines = [.. _lines];
            _lines.Clear();
            return lines;
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= Least;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel))
            return;
        lock (_lock)
            _lines.Add($"{logLevel} {eventId.Id} {formatter(state, exception)}");
    }
}
