using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Lab.Tests.Platform;

/// <summary>The masquerade rule among the rules of others, in every way to have it.</summary>
[Collection("nftables")]
[SupportedOSPlatform("linux")]
public sealed class NatDriftTests
{
    private static readonly string[] Families = ["iptables", "ip6tables"];
    private static readonly NatPlan Plan = NftablesPlans.DualStack;

    public static TheoryData<string> Iptables => ["iptables-nft", "iptables-legacy"];

    [Theory]
    [MemberData(nameof(Iptables))]
    public void Rules_of_others_survive_every_pass_repair_and_removal(string kind)
    {
        using NatBox box = new(kind);
        AddKubeProxy(kind);
        (string V4, string V6) before = (NatBox.Save(kind, true), NatBox.Save(kind, false));

        box.Reach(Plan);
        string installed = NatBox.Save(kind, true);
        Assert.Equal(before.V4, Without(installed));
        Assert.Contains(
            "-A HOSTGW-POSTROUTING -s 10.244.1.0/24 -m addrtype ! --dst-type LOCAL -j MASQUERADE --random-fully",
            installed, StringComparison.Ordinal);
        Assert.Equal("", box.Reach(Plan));
        box.Restart(kind);
        Assert.Equal("", box.Reach(Plan));
        Assert.Equal(installed, NatBox.Save(kind, true));

        NatBox.Run($"{kind} -w -t nat -F HOSTGW-POSTROUTING");
        Assert.Equal("chain HOSTGW-POSTROUTING differs", box.Reach(Plan));
        Assert.Equal(installed, NatBox.Save(kind, true));

        Assert.Contains("HOSTGW-POSTROUTING is not needed", box.Reach(null), StringComparison.Ordinal);
        Assert.Equal(before, (NatBox.Save(kind, true), NatBox.Save(kind, false)));
    }

    [Theory]
    [InlineData("-F HOSTGW-POSTROUTING", true)]
    [InlineData("-F POSTROUTING", true)]
    [InlineData("-F", true)]
    [InlineData("-F && {0} -w -t nat -X", true)]
    [InlineData("-D HOSTGW-POSTROUTING 1", false)]
    [InlineData("-I HOSTGW-POSTROUTING -j RETURN", true)]
    [InlineData("-A HOSTGW-POSTROUTING -j RETURN", true)]
    [InlineData("-A POSTROUTING -j HOSTGW-POSTROUTING", true)]
    public void What_somebody_changed_is_seen_and_put_right(string change, bool startsMasquerading)
    {
        foreach (string kind in (string[])["iptables-nft", "iptables-legacy"])
        {
            using NatBox box = new(kind);
            box.Reach(Plan);
            string installed = NatBox.Save(kind, true);
            NatBox.Run($"{kind} -w -t nat {string.Format(System.Globalization.CultureInfo.InvariantCulture, change, kind)}");

            Assert.Equal("", box.Reach(Plan, reread: false)); // nothing announced it
            Assert.Equal(startsMasquerading, box.Reach(Plan) != "prefixes changed");
            Assert.Equal(installed, NatBox.Save(kind, true));
        }
    }

    [Theory]
    [MemberData(nameof(Iptables))]
    public void A_pass_that_nothing_announced_runs_no_program(string kind)
    {
        using NatBox box = new(kind, o => o with { ProgramFolders = ["/run/box/tmp/programs", .. o.ProgramFolders] });
        box.Reach(Plan);
        Directory.CreateDirectory("/run/box/tmp/programs");
        foreach (string program in Families.SelectMany(f => (string[])[$"{f}-nft-save", $"{f}-legacy-save"]))
            File.WriteAllText($"/run/box/tmp/programs/{program}", "not to be run");
        try
        {
            Assert.Equal("", box.Reach(Plan, reread: false));
            Assert.NotEmpty(box.Try(Plan).Failures);
        }
        finally
        {
            Directory.Delete("/run/box/tmp/programs", recursive: true);
        }
    }

    [Theory]
    [InlineData("nftables", "iptables-nft")]
    [InlineData("iptables-nft", "iptables-legacy")]
    [InlineData("iptables-legacy", "nftables")]
    public void Another_backend_takes_over_in_one_pass(string from, string to)
    {
        using NatBox box = new(from);
        box.Reach(Plan);
        box.Restart(to);
        Assert.EndsWith($"; removed from {from}", box.Reach(Plan), StringComparison.Ordinal);
        Assert.Contains(to == "nftables" ? "inet hostgw" : "HOSTGW-", HostGwRules(to), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("hostgw", HostGwRules(from), StringComparison.OrdinalIgnoreCase);
        Assert.Equal("", box.Reach(Plan));

        box.Restart("none");
        Assert.NotEqual("", box.Reach(null));
        string rules = NatBox.Run("nft list ruleset") + HostGwRules("iptables-legacy");
        Assert.DoesNotContain("hostgw", rules, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Without_the_programs_the_error_names_the_cure_and_the_rest_goes_on()
    {
        using NatBox box = new("iptables-nft", o => o with { ProgramFolders = [] });
        HostFailure failure = Assert.Single(box.Try(Plan).Failures);
        Assert.Equal(HostPart.Nat, failure.Part);
        Assert.Equal(
            "find the program iptables-nft-save: install iptables (the package brings both flavours on most distributions), " +
            "or do without: nat.backend nftables or none, forwardAccept false", failure.Error.Message);
    }

    [Theory]
    [InlineData("iptables-nft -t mangle -N KUBE-IPTABLES-HINT", "iptables-nft", "kubelet uses iptables-nft on this host")]
    [InlineData("ip6tables-nft -t mangle -N KUBE-KUBELET-CANARY", "iptables-nft", "kubelet uses iptables-nft on this host")]
    [InlineData(
        "iptables-nft -N OTHER; iptables-legacy -t mangle -N KUBE-IPTABLES-HINT",
        "iptables-legacy", "kubelet uses iptables-legacy on this host")]
    [InlineData(
        "iptables-nft -N OTHER; ip6tables-legacy -t mangle -N KUBE-KUBELET-CANARY",
        "iptables-legacy", "kubelet uses iptables-legacy on this host")]
    [InlineData(
        "ip6tables-nft -t nat -A POSTROUTING -s fd00::1 -j RETURN; iptables-legacy -t nat -S",
        "iptables-nft", "this host has rules of iptables-nft")]
    [InlineData("iptables-legacy -t nat -S", "iptables-legacy", "this host has tables of iptables-legacy and none of iptables-nft")]
    public void The_flavour_of_the_host_is_found(string before, string kind, string why)
    {
        NatBox.Run(before);
        using NatBox box = new("iptables");
        ApplyResult result = box.Try(Plan);
        Assert.Equal((kind, $"nat.backend is iptables, {why}"), (result.NatBackend?.Name, result.NatBackend?.Why));
    }

    private static string HostGwRules(string kind) => kind switch
    {
        "nftables" => NatBox.Run("nft list tables | grep inet; true"),
        _ => NatBox.Save(kind, true) + NatBox.Save(kind, false),
    };

    private static string Without(string saved) =>
        string.Join('\n', saved.Split('\n').Where(l => !l.Contains("HOSTGW-", StringComparison.Ordinal)));

    private static void AddKubeProxy(string kind)
    {
        foreach (string family in Families)
        {
            NatBox.Run($"""
                {kind.Replace("iptables", family, StringComparison.Ordinal)}-restore --noflush --wait 5 <<'E'
                *nat
                :KUBE-SERVICES - [0:0]
                :KUBE-POSTROUTING - [0:0]
                :KUBE-MARK-MASQ - [0:0]
                -A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
                -A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
                -A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
                -A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
                -A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0
                -A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
                COMMIT
                *filter
                :KUBE-FORWARD - [0:0]
                -A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
                -A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
                -A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT
                COMMIT
                E
                """);
        }
    }
}
