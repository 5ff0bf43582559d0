namespace HostGw.Settings;

/// <summary>Finds the name closest to a misspelt one.</summary>
internal static class Nearest
{
    // No setting has a longer name, and the work grows with the length.
    private const int MaxLength = 64;

    private const int ShortestPart = 3;

    /// <summary>The name with the smallest edit distance, ignoring case. A name may lack its group or its end.</summary>
    public static string To(string text, IEnumerable<string> names)
    {
        string given = text[..Math.Min(text.Length, MaxLength)].ToUpperInvariant();
        return names.MinBy(name => Distance(given, name.ToUpperInvariant()))!;
    }

    private static int Distance(string given, string name)
    {
        if (given.Length >= ShortestPart && name.Contains(given, StringComparison.Ordinal))
            return 1;

        string last = name[(name.LastIndexOf('.') + 1)..];
        int whole = Edits(given, name);
        return last.Length == name.Length ? whole : Math.Min(whole, 1 + Edits(given, last));
    }

    // Levenshtein's distance, one row at a time.
    private static int Edits(string from, string to)
    {
        int[] above = [.. Enumerable.Range(0, to.Length + 1)];
        int[] row = new int[to.Length + 1];
        for (int i = 1; i <= from.Length; i++)
        {
            row[0] = i;
            for (int j = 1; j <= to.Length; j++)
            {
                int replace = above[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
                row[j] = Math.Min(replace, 1 + Math.Min(above[j], row[j - 1]));
            }
            (above, row) = (row, above);
        }
        return above[to.Length];
    }
}
