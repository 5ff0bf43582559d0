using System.Runtime.Versioning;
using System.Security.AccessControl;
using System.Security.Principal;
using HostGw.Platform.Windows;

namespace HostGw.Windows.Tests.OnWindows;

/// <summary>Who may use the state directory. The list of routes in it decides what the agent removes.</summary>
[SupportedOSPlatform("windows")]
public sealed class StateTests(Verification run) : Asking(run)
{
    private static readonly SecurityIdentifier
        Administrators = new(WellKnownSidType.BuiltinAdministratorsSid, null),
        LocalSystem = new(WellKnownSidType.LocalSystemSid, null),
        LocalService = new(WellKnownSidType.LocalServiceSid, null);

    [Fact]
    public Task A_new_one() => AskAsync(Question.State, () =>
    {
        NotAskedException.OnWine();
        return Check(Path.Combine(Machine.Folder, "state"));
    });

    [Fact]
    public Task One_of_somebody_else() => AskAsync(Question.StateOfOthers, () =>
    {
        NotAskedException.OnWine();
        string folder = Path.Combine(Machine.Folder, "state-of-others"), planted = Path.Combine(folder, "planted.txt");
        Directory.CreateDirectory(folder);
        File.WriteAllText(planted, "");
        // Of LOCAL SERVICE, which is no administrator.
        string answer = Machine.PowerShell($"icacls '{folder}' /setowner '*S-1-5-19' /T; icacls '{folder}' /grant '*S-1-1-0:(F)'");
        Assert.True(OwnerOf(folder) == LocalService, answer);

        // A directory that an administrator chose stays as it is.
        Assert.Contains(
            "set another stateDirectory", Assert.Throws<StateFileException>(() => new OwnedRoutesFile(folder).Write(new())).Message,
            StringComparison.Ordinal);
        Assert.Equal(LocalService, OwnerOf(folder));
        StateDirectory.Make(folder, mayRename: true);
        string rights = Check(folder);
        string renamed = Directory.GetDirectories(Machine.Folder, "state-of-others.foreign-*").Single();
        Assert.Equal(LocalService, OwnerOf(renamed));
        Assert.True(File.Exists(Path.Combine(renamed, "planted.txt")));
        return rights;
    });

    [Fact]
    public Task Behind_a_link() => AskAsync(Question.StateLink, () =>
    {
        NotAskedException.OnWine();
        string link = Path.Combine(Machine.Folder, "state-link"), target = Path.Combine(Machine.Folder, "state-link-target");
        Directory.CreateDirectory(target);
        string answer = Machine.PowerShell(
            $"New-Item -ItemType Junction -Path '{link}' -Target '{target}'; icacls '{link}' /setowner '*{Administrators}' /L");
        Assert.True(ObjectOwner.OfFile(link) == Administrators.Value, answer);
        string folder = Path.Combine(link, "state"), rights = Check(folder);
        Assert.True(Directory.Exists(Path.Combine(target, "state")));

        answer = Machine.PowerShell($"icacls '{link}' /setowner '*{LocalService}' /L");
        Assert.True(ObjectOwner.OfFile(link) == LocalService.Value, answer);
        Assert.StartsWith($"{link} is a link that belongs to the user {LocalService}", StateDirectory.Rejection(folder, folder), StringComparison.Ordinal);
        string refusal = Assert.Throws<StateFileException>(() => new OwnedRoutesFile(folder).Write(new())).Message;
        Assert.Contains("is not followed", refusal, StringComparison.Ordinal);
        return $"{rights}; {refusal}";
    });

    /// <summary>Writes the list of routes there, as the agent does, and reads who may use the directory and the file.</summary>
    private static string Check(string folder)
    {
        new OwnedRoutesFile(folder).Write(new());
        DirectorySecurity security = new DirectoryInfo(folder).GetAccessControl();
        Assert.Equal(Administrators, security.GetOwner(typeof(SecurityIdentifier)));
        Assert.True(security.AreAccessRulesProtected, "rights are inherited");
        Assert.Equal(Expected, Rights(security));
        Assert.Equal(Expected, Rights(new FileInfo(Directory.GetFiles(folder).Single()).GetAccessControl()));
        return security.GetSecurityDescriptorSddlForm(AccessControlSections.Owner | AccessControlSections.Access);
    }

    private static IdentityReference? OwnerOf(string folder) =>
        new DirectoryInfo(folder).GetAccessControl(AccessControlSections.Owner).GetOwner(typeof(SecurityIdentifier));

    private static IEnumerable<string> Expected =>
        ((string[])[$"{Administrators} Allow FullControl", $"{LocalSystem} Allow FullControl"]).Order(StringComparer.Ordinal);

    private static IEnumerable<string> Rights(FileSystemSecurity security) =>
        security.GetAccessRules(true, true, typeof(SecurityIdentifier)).Cast<FileSystemAccessRule>()
            .Select(r => $"{r.IdentityReference} {r.AccessControlType} {r.FileSystemRights}").Order(StringComparer.Ordinal);
}
