namespace HostGw.Lab.Agents;

/// <summary>Where the published <c>hostgw</c> is.</summary>
public static class AgentBinary
{
    public const string NotFound = $"hostgw is not published: run `make publish`, or set {Variable}";

    private const string Variable = "LAB_AGENT";
    private const string BelowRepository = "artifacts/hostgw/hostgw";

    /// <summary>What the variable LAB_AGENT names, else what <c>make publish</c> made.</summary>
    /// <exception cref="FileNotFoundException">Neither is there.</exception>
    public static string Find() => TryFind() ?? throw new FileNotFoundException(NotFound);

    public static string? TryFind()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named)
            return Path.GetFullPath(named);

        for (DirectoryInfo? directory = new(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            string candidate = Path.Combine(directory.FullName, BelowRepository);
            if (File.Exists(candidate))
                return candidate;
        }
        return null;
    }
}
