using System.CommandLine;
using System.Globalization;
using System.Text;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace HostGw.Settings;

/// <summary>Finds and reads the settings file, which is YAML.</summary>
internal static class SettingsFile
{
    public const string DefaultPath = "/etc/hostgw/config.yaml";

    private const int MaxBytes = 1 << 20;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Adds an error if the file cannot be read. The default file may be missing.</summary>
    public static SettingValues Read(
        ParseResult flags, IReadOnlyDictionary<string, string> environment, string defaultPath, List<string> errors)
    {
        (string path, string? where) = Locate(flags, environment, defaultPath);
        if (where is null && !File.Exists(path))
            return [];
        try
        {
            return new YamlSource(Quoted.Plain(path), errors).Read(StrictUtf8.GetString(ReadBounded(path)).TrimStart('\uFEFF'));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            string reason = e is DecoderFallbackException ? "it is not UTF-8 text"
                : Directory.Exists(path) ? "it is a folder"
                : Quoted.Plain(e.Message);
            errors.Add($"config: {Quoted.From(path)} ({where ?? "default"}) cannot be read: {reason}");
            return [];
        }
    }

    /// <summary>The file that is read if it exists.</summary>
    public static string PathOf(ParseResult flags, IReadOnlyDictionary<string, string> environment, string defaultPath = DefaultPath) =>
        Locate(flags, environment, defaultPath).Path;

    private static (string Path, string? Where) Locate(
        ParseResult flags, IReadOnlyDictionary<string, string> environment, string defaultPath)
    {
        if (FlagSource.Text(flags, FlagSource.ConfigFlag) is { Length: > 0 } flag)
            return (flag, $"flag {FlagSource.ConfigFlag}");
        // In a HostProcess container of Windows the default file may be below the sandbox's folder.
        return environment.GetValueOrDefault(EnvironmentSource.ConfigVariable) is { Length: > 0 } variable
            ? (variable, $"variable {EnvironmentSource.ConfigVariable}")
            : (SandboxPath.Of(defaultPath), null);
    }

    // Without asking for the length: a pipe or a device has none.
    private static byte[] ReadBounded(string path)
    {
        using FileStream file = File.OpenRead(path);
        byte[] buffer = new byte[MaxBytes + 1];
        int length = file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        return length <= MaxBytes ? buffer[..length] : throw new IOException("it is larger than 1 MB");
    }
}

/// <summary>
/// Settings in the YAML file. Reads events, not YamlDotNet's tree, which loses duplicate keys and overflows the stack on deep nesting.
/// </summary>
/// <param name="file">The file's name in errors.</param>
internal sealed class YamlSource(string file, List<string> errors)
{
    private readonly SettingValues _values = [];
    private readonly HashSet<string> _seen = [];

    /// <summary>Adds an error for each key that is no setting and each value of the wrong shape; stops at text that is not YAML.</summary>
    public SettingValues Read(string text)
    {
        try
        {
            var yaml = new YamlEvents(text);
            yaml.Take<StreamStart>();
            if (yaml.Take<DocumentStart>() is not null)
                ReadDocument(yaml);
        }
        catch (YamlException e)
        {
            Fault(e.Start, Quoted.Plain(e.Message));
        }
        return _values;
    }

    private void ReadDocument(YamlEvents yaml)
    {
        if (yaml.IsNull)
            yaml.Skip();
        else if (yaml.Take<MappingStart>() is not null)
            ReadMap(yaml, "");
        else
            throw yaml.Wrong("the file must be a map of settings, such as 'nextHop: NodeAddress'");

        yaml.Take<DocumentEnd>();
        if (yaml.Current is not StreamEnd)
            throw yaml.Wrong("the file must hold one document");
    }

    private void ReadMap(YamlEvents yaml, string prefix)
    {
        while (yaml.Take<MappingEnd>() is null)
        {
            Scalar key = yaml.Take<Scalar>() ?? throw yaml.Wrong("a key must be plain text");
            ReadEntry(yaml, prefix + key.Value, key.Start);
        }
    }

    private void ReadEntry(YamlEvents yaml, string name, Mark at)
    {
        Setting? setting = SettingsTable.Rows.FirstOrDefault(s => s.Name == name);
        if (!_seen.Add(name))
            Reject(yaml, at, $"{Quoted.From(name)} is given twice");
        else if (setting is not null)
            ReadValue(yaml, setting, at);
        else if (Members(name) is { Length: > 0 } members)
            ReadGroup(yaml, name, members, at);
        else
            Reject(yaml, at, $"{Quoted.From(name)} is no setting; the nearest is {Nearest.To(name, Names)}");
    }

    private void ReadGroup(YamlEvents yaml, string group, string[] members, Mark at)
    {
        if (yaml.Take<MappingStart>() is not null)
            ReadMap(yaml, group + '.');
        else if (yaml.IsNull)
            yaml.Skip();
        else
            Reject(yaml, at, $"{group} must be a map of {string.Join(", ", members)}");
    }

    private void ReadValue(YamlEvents yaml, Setting setting, Mark at)
    {
        if (yaml.IsNull)
            yaml.Skip();
        else if (yaml.Take<Scalar>() is { } scalar)
            _values[setting.Name] = new(scalar.Value, Where(at));
        else if (setting.Type.IsList && yaml.Take<SequenceStart>() is not null)
            _values[setting.Name] = new(ReadList(yaml, setting), Where(at));
        else
            Reject(yaml, at, $"{setting.Name} is a {(yaml.Current is SequenceStart ? "list" : "map")}; it must be {setting.Type.Allowed}");
    }

    private static string ReadList(YamlEvents yaml, Setting setting)
    {
        List<string> elements = [];
        while (yaml.Take<SequenceEnd>() is null)
        {
            Scalar element = yaml.Take<Scalar>() ?? throw yaml.Wrong($"{setting.Name} must be {setting.Type.Allowed}, each a plain text");
            elements.Add(element.Value);
        }
        return string.Join(',', elements);
    }

    private void Reject(YamlEvents yaml, Mark at, string message)
    {
        Fault(at, message);
        yaml.Skip();
    }

    private void Fault(Mark at, string message) => errors.Add($"{Where(at)}: {message}");

    private string Where(Mark at) => string.Create(CultureInfo.InvariantCulture, $"{file}:{at.Line}");

    // With the groups, which may be misspelt as well.
    private static IEnumerable<string> Names =>
        SettingsTable.Rows.Select(s => s.Name).Concat(SettingsTable.Rows.Select(s => s.Name.Split('.')[0]));

    private static string[] Members(string group) => [.. SettingsTable.Rows
        .Where(s => s.Name.StartsWith(group + '.', StringComparison.Ordinal)).Select(s => s.Name[(group.Length + 1)..])];
}

/// <summary>The YAML events of a settings file, in order. Rejects anchors, tags, tabs and deep nesting.</summary>
/// <remarks>All methods throw <see cref="YamlException"/>.</remarks>
internal sealed class YamlEvents
{
    // The parser's time grows with the square of the depth.
    private const int MaxDepth = 16;

    private readonly Parser _parser;
    private int _depth;

    public YamlEvents(string text)
    {
        RefuseTabs(text);
        _parser = new Parser(new StringReader(text));
        Advance();
    }

    public ParsingEvent Current => _parser.Current!;

    /// <summary>The value is empty or null.</summary>
    public bool IsNull => Current is Scalar { Style: ScalarStyle.Plain, Value: "" or "~" or "null" };

    /// <summary>Returns the current event and moves on if it is of this type; else null.</summary>
    public T? Take<T>() where T : ParsingEvent
    {
        if (Current is not T taken)
            return null;
        Advance();
        return taken;
    }

    /// <summary>Skips the current value and everything inside it.</summary>
    public void Skip()
    {
        int depth = 0;
        do
        {
            depth += Current.NestingIncrease;
            Advance();
        }
        while (depth > 0);
    }

    public YamlException Wrong(string message) => new(Current.Start, Current.End, message);

    private void Advance()
    {
        MoveNext();
        _depth += Current.NestingIncrease;
        if (_depth > MaxDepth)
            throw Wrong($"this is nested more than {MaxDepth} deep");
        if (Current is AnchorAlias || (Current is NodeEvent node && (!node.Anchor.IsEmpty || !node.Tag.IsEmpty)))
            throw Wrong("anchors, aliases and tags are not read here: write the value itself");
    }

    // For a plain text of more than 1024 characters that might be a key, the parser throws InvalidOperationException.
    private void MoveNext()
    {
        try
        {
            _parser.MoveNext();
        }
        catch (InvalidOperationException e)
        {
            throw new YamlException(_parser.Current?.Start ?? Mark.Empty, Mark.Empty, "what follows cannot be read", e);
        }
    }

    private static void RefuseTabs(string text)
    {
        int line = 0;
        foreach (ReadOnlySpan<char> content in text.AsSpan().EnumerateLines())
        {
            line++;
            ReadOnlySpan<char> indent = content[..^content.TrimStart().Length];
            if (indent.Contains('\t') && indent.Length < content.Length)
                throw new YamlException(new Mark(0, line, 1), Mark.Empty, "the line is indented with a tab: YAML wants spaces");
        }
    }
}
