namespace HostGw.Reconciliation;

/// <summary>What a person should know of this host, for as long as it lasts.</summary>
/// <param name="Reason">What kind of problem, in a word that never changes, as Kubernetes' Events carry it.</param>
/// <param name="Subject">What it concerns: with the reason it tells one problem from another, though the words change.</param>
/// <param name="Cure">What to do; empty where the text says it.</param>
internal sealed record Problem(string Reason, string Subject, string Text, string Cure = "")
{
    public (string Reason, string Subject) Key => (Reason, Subject);
}
