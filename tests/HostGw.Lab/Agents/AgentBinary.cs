namespace HostGw.Lab.Agents;

/// <summary>Where the published <c>hostgw</c> is.</summary>
public static class AgentBinary
{
    private const string Variable = "LAB_AGENT";
    private const string BelowRepository = "artifacts/hostgw/hostgw", Version1BelowRepository = "artifacts/hostgw-v1/hostgw";

    public static string NotFound => Named is { } named
        ? $"{Variable} names {named}, and there is no such file"
        : $"hostgw is not published: run `make publish`, or set {Variable}";

    /// <summary>What the variable LAB_AGENT names, else what <c>make publish</c> made.</summary>
    /// <exception cref="FileNotFoundException">Neither is there.</exception>
    public static string Find() => TryFind() ?? throw new FileNotFoundException(NotFound);

    /// <summary>What tests/tools/previous.sh made.</summary>
    /// <exception cref="FileNotFoundException">It did not.</exception>
    public static string FindVersion1() => Above(Version1BelowRepository) ??
        throw new FileNotFoundException("version 1 is not there: run tests/tools/previous.sh, or make test-upgrade");

    public static string? TryFind() => Named is { } named ? (File.Exists(named) ? named : null) : Above(BelowRepository);

    private static string? Named => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named ? Path.GetFullPath(named) : null;

    private static string? Above(string file)
    {
        for (DirectoryInfo? directory = new(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            string candidate = Path.Combine(directory.FullName, file);
            if (File.Exists(candidate))
                return candidate;
        }
        return null;
    }
}
