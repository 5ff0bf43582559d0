using Microsoft.Extensions.Logging;

namespace HostGw.Hosting;

/// <summary>Waits until this agent is the only one of its host, for a minute at most.</summary>
/// <param name="tryTake">Takes the lock that allows one agent per host; null if another process holds it.</param>
/// <param name="holder">The process that holds it (0: not known), and whether it can be an agent.</param>
internal sealed class AgentTurn(Func<IDisposable?> tryTake, Func<(int Pid, bool IsAgent)> holder, TimeProvider time, ILogger logger)
{
    // An agent that is being replaced ends within kubelet's grace period. Until then its status endpoint also answers this agent's
    // probes, so a second agent that went on waiting would look ready.
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>"pid 4711", or where it is sought if its process cannot be seen from here.</summary>
    public static string Describe(int pid) => pid > 0 ? $"pid {pid}" : "in another container or of another user";

    /// <returns>
    /// Whether this agent may run, and the lock: null where another kind of program holds it, which must not block the agent for ever.
    /// </returns>
    public async Task<(bool IsOurs, IDisposable? Lock)> WaitAsync(CancellationToken cancellationToken)
    {
        long start = time.GetTimestamp();
        bool reported = false;
        for (int foreignHolders = 0; !cancellationToken.IsCancellationRequested;)
        {
            if (tryTake() is { } acquired)
                return (true, acquired);

            (int pid, bool isAgent) = holder();
            if (isAgent && !reported)
                logger.WaitingForOtherAgent(Describe(pid));
            reported |= isAgent;
            if (isAgent && time.GetElapsedTime(start) >= LongestWait)
            {
                logger.OtherAgentStays(Describe(pid), LongestWait.TotalSeconds);
                return (false, null);
            }
            // A single failure may be an agent that is just starting or ending.
            foreignHolders = isAgent ? 0 : foreignHolders + 1;
            if (foreignHolders > 1)
            {
                logger.LockTakenByStranger(Describe(pid));
                return (true, null);
            }
            await Task.Delay(Interval, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        return (false, null);
    }
}
