using System.Text.RegularExpressions;

namespace HostGw.Chart.Tests.Types;

/// <summary>One file of TypeScript declarations, as far as kubernetes-types uses the language.</summary>
internal sealed partial class TypeFile
{
    public TypeFile(string path)
    {
        // The package's own generator loses fields whose description holds the end of a comment.
        string text = Comment().Replace(File.ReadAllText(path), "").Replace(
            "interface NamedRuleWithOperations {\n", "interface NamedRuleWithOperations {\nresources?: Array<string>;\nscope?: string;\n", StringComparison.Ordinal);
        Interfaces = Interface().Matches(text).ToDictionary(m => m.Groups[1].Value, m => new TypeBody(m.Groups[2].Value));
        Aliases = TypeAlias().Matches(text).ToDictionary(m => m.Groups[1].Value, m => m.Groups[2].Value);
        Imports = (
            from match in Import().Matches(text)
            from name in match.Groups[1].Value.Split(',', StringSplitOptions.TrimEntries)
            select (name, From: Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path)!, match.Groups[2].Value + ".d.ts")))).ToDictionary(i => i.name, i => i.From);
    }

    public IReadOnlyDictionary<string, TypeBody> Interfaces { get; }

    public IReadOnlyDictionary<string, string> Aliases { get; }

    /// <summary>Name → file.</summary>
    public IReadOnlyDictionary<string, string> Imports { get; }

    [GeneratedRegex(@"/\*\*.*?\*/\s*", RegexOptions.Singleline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"^export interface (\w+) \{\n(.*?)^\}", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Interface();

    [GeneratedRegex(@"^export type (\w+) = (.+);", RegexOptions.Multiline)]
    private static partial Regex TypeAlias();

    [GeneratedRegex(@"^import \{ (.+) \} from ""(.+)"";", RegexOptions.Multiline)]
    private static partial Regex Import();
}

/// <summary>The fields of one interface.</summary>
internal sealed partial class TypeBody(string text)
{
    public IReadOnlyDictionary<string, TypeField> Fields { get; } = Field().Matches(text).ToDictionary(
        m => m.Groups[1].Value, m => new TypeField(m.Groups[3].Value, IsRequired: m.Groups[2].Length == 0));

    /// <summary>The one text that a field may hold; null where it may hold others.</summary>
    public string? Literal(string field) =>
        Fields.GetValueOrDefault(field)?.Type is ['"', .. string literal, '"'] ? literal : null;

    [GeneratedRegex(@"(?:readonly )?""?([\w$-]+)""?(\??): (\{\s*\[name: string\]: .+?;\s*\}|.+?);\s*\n", RegexOptions.Singleline)]
    private static partial Regex Field();
}

/// <param name="Type">As written.</param>
internal sealed partial record TypeField(string Type, bool IsRequired)
{
    public static string? ElementOfList(string type) => List().Match(type) is { Success: true } match ? match.Groups[1].Value : null;

    public static string? ElementOfMap(string type) => Map().Match(type) is { Success: true } match ? match.Groups[1].Value : null;

    [GeneratedRegex(@"^Array<(.+)>$")]
    private static partial Regex List();

    [GeneratedRegex(@"^\{\s*\[name: string\]: (.+?);\s*\}$")]
    private static partial Regex Map();
}
