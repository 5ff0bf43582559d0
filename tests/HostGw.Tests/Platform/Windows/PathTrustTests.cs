namespace HostGw.Tests.Platform.Windows;

/// <summary>Which paths are taken for HostGw's on Windows, by who owns what is there and the links that lead there.</summary>
public class PathTrustTests
{
    private const string Self = "S-1-5-21-1-2-3-500", System = "S-1-5-18", Administrators = "S-1-5-32-544", Bob = "S-1-5-21-1-2-3-1001";

    private readonly Dictionary<string, (string Owner, bool IsLink, string? Target, bool IsDirectory)> _there = [];

    [Theory]
    [InlineData(System, true)]
    [InlineData(Administrators, true)]
    [InlineData(Self, true)]
    [InlineData(Bob, false)]
    [InlineData("S-1-5-19", false)]
    [InlineData("", false)]
    public void A_directory_is_believed_where_administrators_or_this_user_own_it(string owner, bool isTrusted)
    {
        Directory("/data/hostgw", owner);
        Assert.Equal(
            isTrusted ? null
                : $"/data/hostgw belongs to <{owner}>: set another stateDirectory, or make it a directory that Administrators own",
            Check("/data/hostgw"));
    }

    [Fact]
    public void What_is_not_there_yet_is_no_fault() => Assert.Null(Check("/data/hostgw"));

    // Who chose the path has seen them.
    [Fact]
    public void The_owners_of_the_directories_on_the_way_do_not_matter()
    {
        Directory("/data", Bob);
        Directory("/data/hostgw", Administrators);
        Assert.Null(Check("/data/hostgw/"));
    }

    [Theory]
    [InlineData("/data/hostgw", "/disk/state")]
    [InlineData("/data/hostgw", "../disk/state")]
    public void A_link_that_an_administrator_made_is_followed_to_what_is_judged_in_turn(string link, string target)
    {
        Link(link, Administrators, target);
        Assert.Null(Check(link));
        Directory("/disk/state", Administrators);
        Assert.Null(Check(link));
        Directory("/disk/state", Bob);
        Assert.StartsWith($"/disk/state belongs to <{Bob}>:", Check(link), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/data/hostgw")]
    [InlineData("/data")]
    public void A_link_of_another_user_is_named_with_its_owner_and_the_cure(string link)
    {
        Link(link, Bob, "/disk");
        Directory("/disk", Administrators);
        Directory("/disk/hostgw", Administrators);
        Assert.Equal(
            $"{link} is a link that belongs to <{Bob}> and is not followed: remove it (cmd /c rmdir \"{link}\"), " +
            "let an administrator make it, or set another stateDirectory", Check("/data/hostgw"));
    }

    [Fact]
    public void A_link_of_another_user_is_found_also_behind_one_of_an_administrator()
    {
        Link("/data", Administrators, "/disk/all");
        Link("/disk", Bob, "/elsewhere");
        Assert.StartsWith("/disk is a link", Check("/data/hostgw"), StringComparison.Ordinal);
    }

    [Fact]
    public void Of_a_file_the_cure_is_another_command()
    {
        Directory("/data/hostgw/nodes", Bob);
        _there["/data/hostgw/nodes"] = (Bob, true, "/etc/secret", false);
        Assert.Contains("(cmd /c del \"/data/hostgw/nodes\")", Check("/data/hostgw/nodes"), StringComparison.Ordinal);
    }

    [Fact]
    public void Links_that_lead_in_a_circle_are_a_fault()
    {
        Link("/data/hostgw", Administrators, "/data/other");
        Link("/data/other", Administrators, "/data/hostgw");
        Assert.Contains("more than 63 links", Check("/data/hostgw"), StringComparison.Ordinal);
    }

    // Windows does not say where another reparse point leads.
    [Theory]
    [InlineData(Administrators, true)]
    [InlineData(Bob, false)]
    public void Another_reparse_point_is_judged_by_its_owner(string owner, bool isTrusted)
    {
        _there["/data"] = (owner, true, null, true);
        Directory("/data/hostgw", Administrators);
        Assert.Equal(isTrusted, Check("/data/hostgw") is null);
    }

    // Only what is at the path itself may be renamed.
    [Theory]
    [InlineData("/data/hostgw", Bob, "/disk", true)]
    [InlineData("/data", Bob, "/disk", false)]
    [InlineData("/data/hostgw", Administrators, "/bobs", false)]
    public void A_fault_says_whether_it_is_at_the_path_itself(string link, string owner, string target, bool isAtPath)
    {
        Link(link, owner, target);
        Directory("/bobs", Bob);
        Assert.Equal(isAtPath, Trust().Check("/data/hostgw")!.IsAtPath);
    }

    private string? Check(string path) => Trust().Check(path)?.Text;

    private PathTrust Trust() => new(
        path => _there.TryGetValue(path, out var found) ? new PathEntry(found.IsLink, found.Target, found.IsDirectory) : null,
        path => _there[path].Owner, owner => $"<{owner}>", Self);

    // With those above it.
    private void Directory(string path, string owner)
    {
        for (string? parent = Path.GetDirectoryName(path); parent is { Length: > 1 }; parent = Path.GetDirectoryName(parent))
            _there.TryAdd(parent, (Administrators, false, null, true));
        _there[path] = (owner, false, null, true);
    }

    private void Link(string path, string owner, string target)
    {
        Directory(path, owner);
        _there[path] = (owner, true, target, true);
    }
}
