using HostGw.Benchmarks.Figures;

namespace HostGw.Benchmarks;

/// <summary>Tells what was measured as it comes, and keeps it for the end.</summary>
internal sealed class Report(TextWriter output)
{
    private readonly List<Figure> _figures = [];

    public IReadOnlyList<Figure> Figures => _figures;

    public IReadOnlyList<Figure> Missed => [.. _figures.Where(figure => figure.Holds == false)];

    public void Say(string text) => output.WriteLine(text);

    public void Add(string title, IReadOnlyList<Figure> figures)
    {
        if (figures.Count == 0)
            return;
        _figures.AddRange(figures);
        output.WriteLine($"\n{title}\n{FigureTable.Write(figures)}");
    }

    /// <summary>The exit code: 1 if a budget does not hold.</summary>
    public int Conclude()
    {
        int judged = _figures.Count(figure => figure.Holds is not null);
        output.WriteLine(Missed.Count == 0 ? $"All {judged} budgets that were measured hold." : $"\n{Missed.Count} of {judged} budgets are MISSED:\n{FigureTable.Write(Missed)}");
        return Missed.Count == 0 ? 0 : 1;
    }
}
