using System.Globalization;

namespace HostGw.Lab.Demo;

/// <summary>What the demo writes: numbered steps, tables and checks, at most 100 columns wide. Colours only on a terminal.</summary>
internal sealed class Screen(TextWriter output, bool colours)
{
    private const int Width = 92;
    private const string Margin = "   ";

    private int _steps;

    public int Passed { get; private set; }

    public int Checks { get; private set; }

    public void Title(string title, params ReadOnlySpan<string> lines)
    {
        output.WriteLine(Bold(title));
        foreach (string line in lines)
            output.WriteLine(line);
    }

    /// <summary>Begins a step, with a sentence on what it shows.</summary>
    public void Step(string title, string explanation)
    {
        output.WriteLine();
        output.WriteLine(Bold($"{++_steps}. {title}"));
        output.WriteLine(Dim($"   {explanation}"));
    }

    public void Text(string line = "") => output.WriteLine(line.Length == 0 ? line : Margin + line);

    /// <summary>A line of another program, broken at a blank if it is too wide.</summary>
    public void Quote(string line)
    {
        string indent = new(' ', line.Length - line.TrimStart().Length + 4);
        while (line.Length > Width && line.LastIndexOf(' ', Width) is int end && end > indent.Length)
        {
            Text(line[..end]);
            line = indent + line[(end + 1)..];
        }
        Text(line);
    }

    public void Faint(string line) => output.WriteLine(Dim($"   {line}"));

    /// <summary>Rows of cells, each column as wide as its widest cell. The first row is the heading.</summary>
    public void Table(IReadOnlyList<string[]> rows)
    {
        int[] widths = [.. Enumerable.Range(0, rows.Max(row => row.Length))
            .Select(column => rows.Where(row => row.Length > column).Max(row => row[column].Length))];
        for (int i = 0; i < rows.Count; i++)
        {
            string line = string.Join("  ", rows[i].Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd();
            output.WriteLine($"   {(i == 0 ? Dim(line) : line)}");
        }
    }

    /// <summary>One line per check. If it failed, also what was seen instead.</summary>
    public void Check(string claim, bool holds, Func<string> seen, TimeSpan? took = null)
    {
        Checks++;
        Passed += holds ? 1 : 0;
        string mark = holds ? Colour("✓", 32) : Colour("✗", 31);
        string time = took is { } t ? Time(t) : "";
        output.WriteLine($"   {mark} {claim.PadRight(Width - 5 - time.Length)}{Dim(time)}".TrimEnd());
        if (!holds)
        {
            foreach (string line in seen().Split('\n'))
                output.WriteLine(Colour($"     {line}", 31));
        }
    }

    /// <summary>The last line.</summary>
    public void Sum()
    {
        output.WriteLine();
        output.WriteLine(Colour($"demo: {Passed}/{Checks} checks passed", Passed == Checks ? 32 : 31));
    }

    /// <summary>12 µs, 3.4 ms, 120 ms or 1.25 s.</summary>
    public static string Time(TimeSpan time) => time.TotalMilliseconds switch
    {
        < 10 => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0.0} ms"),
        < 1000 => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0} ms"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.00} s"),
    };

    private string Bold(string text) => Escape(text, "1");

    private string Dim(string text) => Escape(text, "2");

    private string Colour(string text, int code) => Escape(text, code.ToString(CultureInfo.InvariantCulture));

    private string Escape(string text, string code) => colours && text.Length > 0 ? $"\e[{code}m{text}\e[0m" : text;
}
