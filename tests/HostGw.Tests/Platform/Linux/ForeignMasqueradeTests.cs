using System.Collections.Immutable;
using HostGw.Planning;
using HostGw.Platform.Linux;
using HostGw.Platform.Linux.Iptables;

namespace HostGw.Tests.Platform.Linux;

public class ForeignMasqueradeTests
{
    // This node's pods are 10.244.1.0/24, another's 10.244.2.0/24.
    [Theory]
    [InlineData("the seed's script of another cluster CIDR", "! -d 192.168.0.0/16 -m addrtype ! --dst-type LOCAL -j MASQUERADE", true)]
    [InlineData("everything", "-j MASQUERADE", true)]
    [InlineData("our pods to anywhere", "-s 10.244.1.0/24 -m comment --comment \"-d 10.0.0.0/8\" -j MASQUERADE --random-fully", true)]
    [InlineData("to pods", "-d 10.244.0.0/16 -j MASQUERADE", true)]
    [InlineData("the seed's script of this cluster CIDR", "! -d 10.244.0.0/16 -m addrtype ! --dst-type LOCAL -j MASQUERADE", false)]
    [InlineData("Docker's", "-s 172.17.0.0/16 ! -o docker0 -j MASQUERADE", false)]
    [InlineData("a mark, of which nothing is known", "-m mark --mark 0x4000/0x4000 -j MASQUERADE", false)]
    [InlineData("what stays here", "-m addrtype --dst-type LOCAL -j MASQUERADE", false)]
    [InlineData("all but our pods", "! -s 10.244.0.0/16 -j MASQUERADE", false)]
    [InlineData("an accept", "-s 10.244.1.0/24 -j ACCEPT", false)]
    public void A_rule_that_masquerades_traffic_from_pod_to_pod_is_found(string because, string rule, bool harms)
    {
        ForeignRule[] found = Find($"-A POSTROUTING {rule}");
        Assert.True(harms == (found.Length == 1), because);
        if (harms)
            Assert.Equal([$"-D POSTROUTING {rule}"], found[0].Removal);
    }

    [Theory]
    [InlineData("10.244.0.0/16", "10.244.1.0/24", false)]
    [InlineData("10.244.0.0/16", "10.244.9.0/24", true)]
    [InlineData("10.240.0.0/12", "10.244.9.0/24", true)]
    [InlineData("10.99.0.0/16", "10.99.1.0/24", false)]
    public void Flannels_chain_does_harm_where_its_networks_are_no_longer_the_clusters(string cluster, string podCidr, bool harms)
    {
        ForeignRule[] found = Find(
            ":FLANNEL-POSTRTG - [0:0]",
            "-A POSTROUTING -m comment --comment \"flanneld masq\" -j FLANNEL-POSTRTG",
            "-A FLANNEL-POSTRTG -m mark --mark 0x4000/0x4000 -m comment --comment \"flanneld masq\" -j RETURN",
            $"-A FLANNEL-POSTRTG -s {podCidr} -d {cluster} -m comment --comment \"flanneld masq\" -j RETURN",
            $"-A FLANNEL-POSTRTG -s {cluster} -d {podCidr} -m comment --comment \"flanneld masq\" -j RETURN",
            $"-A FLANNEL-POSTRTG ! -s {cluster} -d {podCidr} -m comment --comment \"flanneld masq\" -j RETURN",
            $"-A FLANNEL-POSTRTG -s {cluster} ! -d 224.0.0.0/4 -m comment --comment \"flanneld masq\" -j MASQUERADE --random-fully",
            $"-A FLANNEL-POSTRTG ! -s {cluster} -d {cluster} -m comment --comment \"flanneld masq\" -j MASQUERADE --random-fully");
        Assert.Equal(harms ? 1 : 0, found.Length);
        if (!harms)
            return;
        string jump = "-D POSTROUTING -m comment --comment \"flanneld masq\" -j FLANNEL-POSTRTG";
        Assert.Equal([":FLANNEL-POSTRTG - [0:0]", jump, "-X FLANNEL-POSTRTG"], found[0].Removal);
    }

    // A host may have many rules, and a cluster thousands of podCIDRs: a rule that is parsed again for each would show here.
    [Fact]
    public void Each_rule_is_parsed_once_however_many_podCIDRs_there_are()
    {
        SavedTable saved = Saved(
            "-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE",
            "-A POSTROUTING -m comment --comment \"flanneld masq\" -j FLANNEL-POSTRTG",
            "-A FLANNEL-POSTRTG -s 10.244.0.0/16 -d 10.244.0.0/16 -m comment --comment \"flanneld masq\" -j RETURN",
            "-A FLANNEL-POSTRTG -s 10.244.0.0/16 ! -d 224.0.0.0/4 -m comment --comment \"flanneld masq\" -j MASQUERADE");
        ImmutableArray<Prefix> own = [Prefix.Parse("10.244.1.0/24"), Prefix.Parse("10.244.3.0/24")];
        ImmutableArray<Prefix> one = [Prefix.Parse("10.244.2.0/24")];
        ImmutableArray<Prefix> many = [.. Enumerable.Range(0, 1000).Select(i => new Prefix(Ip.V4(0x0AF40000u + ((uint)i << 4)), 28))];

        BytesAllocated(one); // the first call also allocates what later ones share
        Assert.InRange(BytesAllocated(many), 0, 2 * BytesAllocated(one));

        long BytesAllocated(ImmutableArray<Prefix> peers)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            Assert.Empty(ForeignMasqueradeRules.Find(saved, own, peers));
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    private static ForeignRule[] Find(params string[] lines) =>
        [.. ForeignMasqueradeRules.Find(Saved(lines), [Prefix.Parse("10.244.1.0/24")], [Prefix.Parse("10.244.2.0/24")])];

    private static SavedTable Saved(params string[] lines)
    {
        SavedTable saved = new("nat", (chain, _) => ForeignMasqueradeRules.IsSearched(chain));
        foreach (string line in (string[])["*nat", ":POSTROUTING ACCEPT [0:0]", .. lines, "COMMIT"])
            saved.Read(line);
        return saved;
    }
}
