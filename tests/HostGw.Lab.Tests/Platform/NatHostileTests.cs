using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Lab.Tests.Platform;

/// <summary>What other programs, and iptables itself, may do to the masquerade rule in iptables.</summary>
[Collection("nftables")]
[SupportedOSPlatform("linux")]
public sealed class NatHostileTests
{
    private static readonly NatPlan Plan = NftablesPlans.DualStack;

    public static TheoryData<string> Iptables => ["iptables-nft", "iptables-legacy"];

    [Theory]
    [MemberData(nameof(Iptables))]
    public void What_other_programs_do_to_whole_tables_is_survived_with_20_000_rules_in_them(string kind)
    {
        using NatBox box = new(kind);
        box.Reach(Plan);
        string[] ours = Ours(kind);
        string rules = string.Concat(Enumerable.Range(0, 10_000).Select(
                i => $":KUBE-SVC-{i} - [0:0]\n-A KUBE-SVC-{i} -s 10.{i / 250}.{i % 250}.1/32 -j RETURN\n"))
            + string.Concat(Enumerable.Range(0, 10_000).Select(i => $"-A POSTROUTING -d 10.{i / 250}.{i % 250}.2/32 -j RETURN\n"));
        File.WriteAllText("/run/box/tmp/theirs", $"*nat\n{rules}COMMIT\n");

        NatBox.Run($"{kind}-restore -w < /run/box/tmp/theirs"); // without --noflush: the table is emptied first
        string theirs = NatBox.Save(kind, true);
        Assert.DoesNotContain("HOSTGW", theirs, StringComparison.Ordinal);
        Assert.NotEqual("", box.Reach(Plan));
        Assert.Equal(ours, Ours(kind));
        Assert.Equal(theirs, Without(NatBox.Save(kind, true)));
        Assert.Equal("", box.Reach(Plan));

        box.Reach(null);
        Assert.Equal(theirs, NatBox.Save(kind, true));
    }

    [Fact]
    public void A_rule_that_came_and_went_and_came_within_one_life_goes_again()
    {
        using NatBox box = new("iptables-legacy");
        NatBox.Run("iptables-legacy -w -t nat -S; ip6tables-legacy -w -t nat -S");
        for (int i = 0; i < 2; i++)
        {
            Assert.Equal("", box.Reach(null));
            Assert.NotEqual("", box.Reach(Plan));
            Assert.NotEqual("", box.Reach(null));
            Assert.Empty(Ours("iptables-legacy"));
        }
    }

    [Fact]
    public void A_rule_of_an_earlier_life_that_could_not_be_looked_for_is_looked_for_again()
    {
        const string folder = "/run/box/tmp/failing";
        using NatBox box = new("iptables-legacy", o => o with { ProgramFolders = [folder, .. o.ProgramFolders] });
        box.Reach(Plan);
        using NatBox later = new("none", o => o with { ProgramFolders = [folder, .. o.ProgramFolders] });
        Directory.CreateDirectory(folder);
        NatBox.Run($"printf '#!/bin/sh\nexit 4\n' > {folder}/iptables-legacy-save && chmod +x {folder}/iptables-legacy-save");
        later.Reach(null);
        Directory.Delete(folder, recursive: true);

        later.Reach(null);
        Assert.Empty(Ours("iptables-legacy"));
    }

    [Fact]
    public async Task A_lock_that_another_program_holds_is_waited_for_and_then_reported()
    {
        using NatBox box = new("iptables-legacy");
        // flock, as iptables does
        await using FileStream held = new("/run/xtables.lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        HostFailure failure = Assert.Single(box.Try(Plan).Failures);
        Assert.Contains("xtables lock", failure.Error.Message, StringComparison.Ordinal);
        Assert.Empty(Ours("iptables-legacy"));

        Task<string> waiting = Task.Run(() => box.Reach(Plan));
        await held.DisposeAsync();
        Assert.NotEqual("", await waiting);
    }

    [Theory]
    [InlineData("echo '%!PS'; echo '*filter'; echo COMMIT", "it holds rules that iptables cannot show")]
    [InlineData("echo '*nat'; echo ':POSTROUTING ACCEPT [0:0]'", "it holds rules that iptables cannot show")]
    [InlineData("head -c 3000 /dev/urandom", "it holds rules that iptables cannot show")]
    [InlineData("echo 'iptables-save: symbol lookup error' >&2; exit 127", "exit code 127: iptables-save: symbol lookup error")]
    [InlineData("kill -9 $$", "exit code 137")]
    public void A_program_that_fails_changes_nothing_and_is_reported(string script, string complaint)
    {
        const string folder = "/run/box/tmp/wrong";
        using NatBox box = new("iptables-nft", o => o with { ProgramFolders = [folder, .. o.ProgramFolders] });
        Directory.CreateDirectory(folder);
        try
        {
            File.WriteAllText($"{folder}/iptables-nft-save", $"#!/bin/sh\n{script}\n");
            NatBox.Run($"chmod +x {folder}/iptables-nft-save");
            Assert.Contains(box.Try(Plan).Failures, f => f.Error.Message.Contains(complaint, StringComparison.Ordinal));
            Assert.Empty(Ours("iptables-nft"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
        Assert.NotEqual("", box.Reach(Plan));
    }

    private static string[] Ours(string kind) =>
        [.. (NatBox.Save(kind, true) + NatBox.Save(kind, false)).Split('\n').Where(l => l.Contains("HOSTGW-", StringComparison.Ordinal))];

    private static string Without(string saved) =>
        string.Join('\n', saved.Split('\n').Where(l => !l.Contains("HOSTGW-", StringComparison.Ordinal)));
}
