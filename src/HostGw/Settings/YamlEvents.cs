using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace HostGw.Settings;

/// <summary>The parts of a YAML file in order, less what a settings file has no use for. All methods throw <see cref="YamlException"/>.</summary>
internal sealed class YamlEvents
{
    // Deeper nesting costs the parser time that grows with the square of the depth.
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

    /// <summary>Nothing is written here, or null is.</summary>
    public bool IsNull => Current is Scalar { Style: ScalarStyle.Plain, Value: "" or "~" or "null" };

    /// <summary>The current event if it is of this type, which is then past; else null.</summary>
    public T? Take<T>() where T : ParsingEvent
    {
        if (Current is not T taken)
            return null;
        Advance();
        return taken;
    }

    /// <summary>Goes past the current value and all that is in it.</summary>
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

    // The parser has no exception of its own for a plain text of more than 1024 characters that might be a key.
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
