using System.Runtime.Versioning;
using HostGw.Planning;

namespace HostGw.Windows.Tests.OnWindows;

/// <summary>One run: what an earlier one left is removed first, and at the end what this one made.</summary>
public sealed class Verification : IDisposable
{
    private readonly HashSet<string> _before;

    [SupportedOSPlatform("windows")]
    public Verification()
    {
        if (!OperatingSystem.IsWindows())
            throw new InvalidOperationException("tests/windows/verify.ps1 and `make test-windows` run these tests, in a Windows process");
        RemoveAll();
        _before = [.. Find()];
        Table.Write();
    }

    [SupportedOSPlatform("windows")]
    internal AnswerTable Table { get; } = new(Environment.GetEnvironmentVariable("VERIFY_TABLE") ?? "windows-verify.md");

    [SupportedOSPlatform("windows")]
    internal Made Made { get; } = new("made.txt");

    public void Dispose()
    {
        if (!OperatingSystem.IsWindows())
            return;
        RemoveAll();
        string left = string.Join(", ", Find().Where(f => !_before.Contains(f)));
        if (left.Length > 0)
            Table.No(Question.Removed, left);
        else
            Table.Yes(Question.Removed, "no route or address of documentation, no interface or directory of this name");
        Assert.Equal("", left);
    }

    /// <summary>All that looks as if it came from here.</summary>
    [SupportedOSPlatform("windows")]
    private static List<string> Find()
    {
        HostState state = Machine.Read();
        return
        [
            .. state.Routes.Where(r => Machine.Documentation.Any(d => d.Contains(r.Destination))).Select(r => $"route {r.Destination}"),
            .. state.Addresses.Where(a => Machine.Documentation.Any(d => d.Contains(a.Address))).Select(a => $"address {a.Address}"),
            .. state.Interfaces.Where(i => i.Name.Contains(Machine.Name, StringComparison.Ordinal)).Select(i => $"interface {i.Name}"),
            .. Directory.Exists(Machine.Folder) ? (string[])[Machine.Folder] : [],
        ];
    }

    [SupportedOSPlatform("windows")]
    private void RemoveAll()
    {
        Made.Remove();
        new Made(HnsFixture.Record).Remove();
        if (Directory.Exists(Machine.Folder))
            Directory.Delete(Machine.Folder, recursive: true);
    }
}

[CollectionDefinition(nameof(OneMachine))]
public sealed class OneMachine : ICollectionFixture<Verification>;

/// <summary>Tests of which each answers one question.</summary>
[SupportedOSPlatform("windows")]
[Collection(nameof(OneMachine))]
public abstract class Asking(Verification run)
{
    private protected Made Made => run.Made;

    private protected Task AskAsync(Question question, Func<string> ask) => AskAsync(question, () => Task.FromResult(ask()));

    /// <summary>The answer is yes, with what is returned as evidence; no, with the exception; or it is not asked.</summary>
    private protected async Task AskAsync(Question question, Func<Task<string>> ask)
    {
        try
        {
            string evidence = await AskAndTidyAsync(ask);
            run.Table.Yes(question, evidence);
        }
        catch (NotAskedException e)
        {
            run.Table.NotAsked(question, e.Message);
            Assert.Skip(e.Message);
        }
        catch (Exception e)
        {
            run.Table.No(question, e.Message);
            throw;
        }
    }

    private async Task<string> AskAndTidyAsync(Func<Task<string>> ask)
    {
        try
        {
            return await ask();
        }
        finally
        {
            Made.Remove();
        }
    }
}
