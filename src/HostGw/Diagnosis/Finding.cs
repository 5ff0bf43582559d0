namespace HostGw.Diagnosis;

/// <summary>Something that a person should put right.</summary>
/// <param name="Rule">Which check found it; a name that never changes, for scripts.</param>
/// <param name="Problem">What is wrong, and what comes of it.</param>
/// <param name="Cure">What to do.</param>
internal sealed record Finding(string Rule, string Problem, string Cure);
