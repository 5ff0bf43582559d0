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
        Everyone = new(WellKnownSidType.WorldSid, null);

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
        DirectoryInfo folder = Directory.CreateDirectory(Path.Combine(Machine.Folder, "state-of-others"));
        DirectorySecurity open = new();
        open.SetOwner(WindowsIdentity.GetCurrent().User!);
        open.AddAccessRule(new(Everyone, FileSystemRights.FullControl, AccessControlType.Allow));
        folder.SetAccessControl(open);
        return Check(folder.FullName);
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

    private static IEnumerable<string> Expected =>
        ((string[])[$"{Administrators} Allow FullControl", $"{LocalSystem} Allow FullControl"]).Order(StringComparer.Ordinal);

    private static IEnumerable<string> Rights(FileSystemSecurity security) =>
        security.GetAccessRules(true, true, typeof(SecurityIdentifier)).Cast<FileSystemAccessRule>()
            .Select(r => $"{r.IdentityReference} {r.AccessControlType} {r.FileSystemRights}").Order(StringComparer.Ordinal);
}
