namespace HostGw.Benchmarks;

/// <summary>What is to be measured.</summary>
internal sealed record Selection(IReadOnlySet<string> Parts)
{
    public const string Pure = "pure", Pass = "pass", Cold = "cold", Memory = "memory", Join = "join", Drift = "drift", Repair = "repair",
        Heartbeats = "heartbeats", Probes = "probes", Tunnel = "tunnel", ServerReturn = "return", Digest = "digest", DigestLong = "digest-long";

    private static readonly string[] All =
        [Pure, Pass, Cold, Memory, Join, Drift, Repair, Heartbeats, Probes, Tunnel, ServerReturn, Digest];

    public static string Usage =>
        $"usage: HostGw.Benchmarks [PART,…]; parts: {string.Join(", ", All)} (all, unless said), {DigestLong} (3 hours)";

    public bool NeedsAgent => Has(Memory) || Has(Join) || Has(Drift) || Has(Heartbeats);

    public bool NeedsSite => NeedsAgent || Has(Cold) || Has(Repair) || Has(Probes) || Has(ServerReturn) || NeedsDigest;

    public bool NeedsDigest => Has(Digest) || Has(DigestLong);

    public bool NeedsBuild => NeedsSite || Has(Tunnel);

    public bool Has(string part) => Parts.Contains(part);

    /// <summary>Null: that is no selection.</summary>
    public static Selection? Parse(string[] arguments)
    {
        string[] parts = arguments is [] or [""] ? All : arguments is [var list] ? list.Split(',') : [];
        return parts.Length > 0 && parts.All(part => part == DigestLong || All.Contains(part)) ? new(parts.ToHashSet()) : null;
    }
}
