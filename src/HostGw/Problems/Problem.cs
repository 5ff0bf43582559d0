namespace HostGw.Problems;

/// <summary>
/// What a person should know of this host, or put right, for as long as it lasts. The same in the log, Events, status, page and doctor.
/// </summary>
/// <param name="Rule">What kind of problem, in a word that never changes: the reason of its Event, or the doctor's rule.</param>
/// <param name="Text">What is wrong, and what comes of it.</param>
/// <param name="Cure">What to do; empty where the text says it.</param>
internal sealed record Problem(string Rule, string Text, string Cure = "")
{
    /// <summary>What it concerns: with the rule it identifies the problem, though the text changes.</summary>
    public string Subject { get; init; } = "";

    public (string Rule, string Subject) Key => (Rule, Subject);
}
