using System.Globalization;

namespace HostGw.Benchmarks.Figures;

/// <summary>Figures as a table for people.</summary>
internal static class FigureTable
{
    private static readonly string[] Heads = ["", "build", "N", "median", "p99", "max", "unit", "samples", "beside it", "budget", ""];

    public static string Write(IReadOnlyList<Figure> figures)
    {
        string[][] rows = [Heads, .. figures.Select(Row)];
        int[] widths = [.. Enumerable.Range(0, Heads.Length).Select(column => rows.Max(row => row[column].Length))];
        return string.Concat(rows.Select(row => string.Join("  ", row.Select((cell, column) => Padded(cell, column, widths[column]))).TrimEnd() + "\n"));
    }

    /// <summary>Three significant digits: more would be noise.</summary>
    public static string Number(double value)
    {
        int whole = value == 0 ? 1 : (int)Math.Floor(Math.Log10(Math.Abs(value))) + 1;
        return value.ToString($"N{Math.Clamp(3 - whole, 0, 3)}", CultureInfo.InvariantCulture);
    }

    private static string[] Row(Figure figure)
    {
        bool many = figure.Values.Count > 1;
        return
        [
            figure.Name, figure.Build, figure.Size is { } size ? Number(size) : "",
            Number(figure.Values.Median), many ? Number(figure.Values.P99) : "", many ? Number(figure.Values.Max) : "", figure.Unit,
            many ? Number(figure.Values.Count) : "",
            string.Join(", ", figure.Peers.Select(peer => $"{peer.Name} {Number(peer.Value)}")),
            figure.Budget is { } budget
                ? $"{(budget.Of == Statistic.P99 ? "p99 " : "")}{(budget.IsLeast ? '>' : '<')}= {Number(budget.Limit)}"
                : "",
            figure.Holds switch { true => "holds", false => "MISSED", null => "" },
        ];
    }

    private static string Padded(string cell, int column, int width) => column is >= 2 and <= 5 or 7 ? cell.PadLeft(width) : cell.PadRight(width);
}
