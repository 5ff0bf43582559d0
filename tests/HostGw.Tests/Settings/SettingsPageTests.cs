using System.CommandLine;
using System.CommandLine.Help;
using System.Text;
using HostGw.Settings;

namespace HostGw.Tests.Settings;

public class SettingsPageTests
{
    private static readonly UsedBy[] Commands =
        [UsedBy.Agent, UsedBy.Plan, UsedBy.Adopt, UsedBy.Cleanup, UsedBy.Status, UsedBy.Doctor, UsedBy.Digest];

    [Fact]
    public void The_documented_table_is_the_table() => Golden.Equal("docs/settings.md", Page());

    [Theory]
    [InlineData("agent")]
    [InlineData("cleanup")]
    [InlineData("status")]
    [InlineData("digest")]
    public void Help_teaches_the_settings_of_a_command(string command)
    {
        using var output = new StringWriter();
        var usedBy = Enum.Parse<UsedBy>(command, ignoreCase: true);
        RootCommand root = Given.Root(usedBy);
        root.Options.OfType<HelpOption>().Single().Action = new HelpAction { MaxWidth = 300 };
        root.Parse("run --help").Invoke(new InvocationConfiguration { Output = output });

        string[] lines = [.. output.ToString().ReplaceLineEndings("\n").Split('\n')];
        string options = string.Join('\n', lines.SkipWhile(l => l != "Options:").Select(l => l.TrimEnd())).TrimEnd() + "\n";
        Golden.Equal($"tests/HostGw.Tests/Settings/Golden/help-{command}.txt", options);
    }

    [Fact]
    public void Names_follow_from_the_path()
    {
        Setting setting = SettingsTable.Rows.Single(s => s.Name == "nat.randomFully");
        Assert.Equal(("--nat-random-fully", "HOSTGW_NAT_RANDOM_FULLY"), (setting.Flag, setting.Variable));
    }

    [Fact]
    public void No_two_settings_share_a_name()
    {
        Assert.Distinct(SettingsTable.Rows.Select(s => s.Flag));
        Assert.Distinct(SettingsTable.Rows.Select(s => s.Variable));
        Assert.DoesNotContain(SettingsTable.Rows, s => s.UsedBy == UsedBy.None);
    }

    private static string Page()
    {
        var page = new StringBuilder("""
            # Settings

            A setting can be given four ways; the first that gives it wins:

            | | for example |
            |---|---|
            | a flag | `--nat-random-fully false` |
            | an environment variable | `HOSTGW_NAT_RANDOM_FULLY=false` |
            | the file `/etc/hostgw/config.yaml` (another one: `--config`, `HOSTGW_CONFIG`) | `nat: {randomFully: false}` |
            | its default | see the table |

            Lists are comma-separated, or YAML lists in the file. A name that is no setting, or a value that is not allowed, ends the
            program at its start with exit code 2 and one line for each fault, which names the setting, its source and what is allowed.

            | Setting | Meaning | Allowed | Default | Used by |
            |---|---|---|---|---|

            """);
        foreach (Setting setting in SettingsTable.Rows)
        {
            string usedBy = string.Join(", ", Commands.Where(c => setting.UsedBy.HasFlag(c)).Select(c => c.ToString().ToLowerInvariant()));
            string shown = setting.DefaultAbout ?? $"`{setting.Default}`";
            page.Append($"| `{setting.Name}` | {Cell(setting.About)} | {Cell(setting.Type.Allowed)} | {Cell(shown)} | {usedBy} |\n");
        }
        page.Append("\nThis page is generated from `src/HostGw/Settings/SettingsTable.cs`: `UPDATE_GOLDEN=1 make test` renews it.\n");
        return page.ToString();
    }

    private static string Cell(string text) =>
        text.Replace("|", "\\|", StringComparison.Ordinal).Replace("*", "\\*", StringComparison.Ordinal);
}
