namespace HostGw.Diagnosis;

/// <summary>When a token or a certificate is accepted.</summary>
/// <param name="What">With where it is, and nothing of what it holds.</param>
internal readonly record struct Validity(string What, DateTimeOffset From, DateTimeOffset Until);
