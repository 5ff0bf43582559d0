using HostGw.Reconciliation;
using HostGw.Status;

namespace HostGw.Hosting;

/// <summary>Passes the report of every pass to the log, the status, Events, the quorum reads and the Node's condition.</summary>
/// <param name="events">Null: the settings turn them off.</param>
/// <param name="condition">Null: the settings turn it off.</param>
internal sealed class PassRecorder(
    PassLog log, WakeUp wakeUp, StatusBoard board, QuorumReadTrigger quorumReads, EventWriter? events, NodeConditionWriter? condition,
    TimeProvider time)
{
    public void Record(PassReport report)
    {
        log.Write(report);
        board.Record(report, wakeUp.FirstSignalAt is { } at ? time.GetElapsedTime(at) : null);
        events?.Record(report);
        quorumReads.After(report);
        condition?.Record(report, isReady: StatusBoard.NotReady(report).Count == 0);
    }
}
