namespace HostGw.Settings;

/// <summary>The commands that take a setting as an option and check its value.</summary>
[Flags]
internal enum UsedBy
{
    None = 0,
    Agent = 1,
    Plan = 2,
    Adopt = 4,
    Cleanup = 8,
    Status = 16,
    Doctor = 32,

    /// <summary>Every command that works out what this host should have.</summary>
    Planners = Agent | Plan | Adopt | Doctor,
}
