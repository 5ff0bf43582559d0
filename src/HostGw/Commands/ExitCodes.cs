namespace HostGw.Commands;

/// <summary>What scripts may rely on.</summary>
internal static class ExitCodes
{
    public const int Done = 0;
    public const int Failed = 1;

    /// <summary>The command line or a setting is wrong.</summary>
    public const int Usage = 2;

    /// <summary>There is a finding or a difference.</summary>
    public const int Difference = 3;

    public const int NoRights = 4;
}
