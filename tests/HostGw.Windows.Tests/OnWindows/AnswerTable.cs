using System.Globalization;
using System.Runtime.Versioning;
using Microsoft.Win32;

namespace HostGw.Windows.Tests.OnWindows;

/// <summary>The answers as a table in Markdown. Written again after each one: the file is whole whenever the run ends.</summary>
[SupportedOSPlatform("windows")]
internal sealed class AnswerTable(string path)
{
    private const string CurrentVersion = @"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion";

    private readonly Dictionary<Question, (string Verdict, string Evidence)> _answers = [];
    private readonly string _date = DateTime.UtcNow.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);

    public void Yes(Question question, string evidence) => Answer(question, "yes", evidence);

    public void No(Question question, string evidence) => Answer(question, "no", evidence);

    public void NotAsked(Question question, string why) => Answer(question, $"not asked: {why}", "");

    public void Write()
    {
        List<(string Verdict, string Evidence)> answers = [.. Question.All.Select(Of)];
        int yes = answers.Count(a => a.Verdict == "yes"), no = answers.Count(a => a.Verdict == "no");
        File.WriteAllLines(path,
        [
            "### HostGw on Windows: what was verified", "",
            .. Machine.IsWine ? (string[])["**Wine with stand-ins for Windows's libraries: proves nothing about Windows.**", ""] : [],
            $"- system: {SystemText}", $"- date: {_date} UTC", $"- hostgw: {AgentVersion.Full}",
            $"- answers: {yes} yes, {no} no, {answers.Count - yes - no} not asked", "",
            "| | question | answer | evidence |", "|---|---|---|---|",
            .. Question.All.Zip(answers, (q, a) => $"| {q.Id} | {q.Sentence} | {Cell(a.Verdict)} | {Cell(a.Evidence)} |"),
        ]);
    }

    private void Answer(Question question, string verdict, string evidence)
    {
        _answers[question] = (verdict, evidence);
        Write();
    }

    private (string Verdict, string Evidence) Of(Question question) => _answers.TryGetValue(question, out var answer)
        ? answer
        : ($"not asked: {(question.Obstacle.Length > 0 ? question.Obstacle : "the run ended before")}", "");

    private static string SystemText => Machine.IsWine
        ? $"Wine {Machine.WineVersion}"
        : $"{Value("ProductName")} {Value("DisplayVersion")}, build {Value("CurrentBuild")}.{Value("UBR")}";

    private static string Value(string name) => $"{Registry.GetValue(CurrentVersion, name, "")}";

    private static string Cell(string text) => text.ReplaceLineEndings(" ").Replace("|", "\\|", StringComparison.Ordinal);
}
