using System.Text;
using System.Text.RegularExpressions;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Problems;
using HostGw.Reconciliation;
using HostGw.Status;
using HostGw.Status.Page;
using HostGw.Tests.Planning;
using HostGw.Tests.Reconciliation;
using Golden = HostGw.Tests.Settings.Golden;

namespace HostGw.Tests.Status;

public class StatusPageTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 14, 5, TimeSpan.Zero);

    private readonly StatusBoard _board = new();
    private ProbeStatus _probes = ProbeStatus.Off;

    [Fact]
    public void The_page_of_a_cluster_with_one_of_everything()
    {
        _board.Record(Reports.First());
        _probes = Reports.Probes;

        string page = Page();
        string body = page[page.IndexOf("<body>", StringComparison.Ordinal)..page.IndexOf("<script>", StringComparison.Ordinal)];
        Golden.Equal("tests/HostGw.Tests/Status/Golden/page.html", body);
    }

    // A reader of half a cure drains a node and stops.
    [Fact]
    public void A_cure_is_shown_to_its_end()
    {
        _board.Record(Reports.InOrder() with { Result = new() { Obstacles = [$"{new string('x', 900)} then restart its kubelet"] } });
        Assert.Contains("then restart its kubelet", Page(), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(AllRepairs))]
    public void Each_kind_of_repair_is_counted_on_the_page(string kind)
    {
        object repairs = default(Repairs);
        typeof(Repairs).GetProperty(kind)!.SetValue(repairs, 3L);
        _board.Record(Reports.InOrder() with { Repairs = (Repairs)repairs });
        Assert.Matches("<p>Repaired: [^.,]+ 3.</p>", Page());
    }

    public static TheoryData<string> AllRepairs => [.. typeof(Repairs).GetProperties().Select(p => p.Name)];

    [Fact]
    public void A_cluster_in_order_says_so_first()
    {
        _board.Record(Reports.InOrder());

        string page = Page();
        Assert.Contains("<title>✓ self – HostGw</title>", page, StringComparison.Ordinal);
        Assert.Contains("<h1>self: <span class=good>all in order</span></h1>", page, StringComparison.Ordinal);
        Assert.Contains("<h2>No problems</h2>", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Before_the_first_pass_it_says_what_it_waits_for_and_every_part_that_is_kept_up_to_date_is_there()
    {
        string before = Page(new("Cannot connect to 192.0.2.1:6443"));
        _board.Record(Reports.InOrder());

        Assert.Contains("<title>✗ self", before, StringComparison.Ordinal);
        Assert.Contains("no complete list of nodes yet", before, StringComparison.Ordinal);
        Assert.Contains("Cannot connect to 192.0.2.1:6443", before, StringComparison.Ordinal);
        Assert.Equal(Live(Page()), Live(before));
        Assert.Equal(6, Live(before).Length);
    }

    [Fact]
    public void A_host_that_cannot_be_read_is_told_of_and_its_peers_are_still_shown()
    {
        _board.Record(Reports.InOrder());
        _board.Record(Reports.Failed("No buffer space available"));

        string page = Page();
        Assert.Contains("<li class=e>read the host: No buffer space available", page, StringComparison.Ordinal);
        Assert.Contains("10.244.2.0/24", Row(page, "b"), StringComparison.Ordinal);
    }

    [Fact]
    public void Problems_are_shown_until_a_pass_that_can_read_the_host_finds_them_gone()
    {
        Agent agent = Reports.Agent();
        for (int i = 0; i < 7; i++)
        {
            agent.Host.LoseNat();
            _board.Record(agent.Pass(WakeCauses.Nat));
        }
        Assert.Contains("keeps undoing HostGw&#39;s rules", Problems(), StringComparison.Ordinal);
        string before = Problems();

        agent.Host.ReadRefusal = new HostRefusal("No buffer space available");
        _board.Record(agent.Pass());
        Assert.Contains("No buffer space available", Problems(), StringComparison.Ordinal);
        Assert.Contains("keeps undoing HostGw&#39;s rules", Problems(), StringComparison.Ordinal);

        agent.Host.ReadRefusal = null;
        _board.Record(agent.Pass());
        Assert.Equal(before, Problems());
        agent.Time.Advance(TimeSpan.FromMinutes(1));
        _board.Record(agent.Pass());
        Assert.DoesNotContain("keeps undoing", Problems(), StringComparison.Ordinal);

        string Problems() => Page() is var page && page.IndexOf("<section id=problems", StringComparison.Ordinal) is var start
            ? page[start..page.IndexOf("</section>", start, StringComparison.Ordinal)] : "";
    }

    [Fact]
    public void A_fault_of_a_node_comes_with_its_cure()
    {
        _board.Record(new Agent { Nodes = [.. Agent.ThreeNodes, "f 10.244.6.0/24 192.0.2.6", "g 10.244.7.0/24 192.0.2.7"] }.Pass());

        string page = Page();
        Assert.Contains(
            "node f 10.244.6.0/24 (notAdjacent): 192.0.2.6 is not on this host&#39;s segment (eth0); and 1 more notAdjacent",
            page, StringComparison.Ordinal);
        Verdict verdict = new(Given.Node("f 10.244.6.0/24 192.0.2.6", 0), default, VerdictKind.NotAdjacent, "");
        string cure = Cures.Of(verdict, policy: null).Replace("'", "&#39;", StringComparison.Ordinal);
        Assert.Contains($"→ {cure}", page, StringComparison.Ordinal);
        Assert.Contains("<span class=warning>ready, with problems</span>", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_many_problems_it_says_how_many_are_not_shown()
    {
        ContestedRoute[] routes =
            [.. Enumerable.Range(1, 40).Select(i => new ContestedRoute(Prefix.Parse($"10.244.{i}.0/24"), "it was deleted"))];
        _board.Record(Reports.InOrder() with { Contests = new(null, null, routes) });

        string page = Page();
        Assert.Contains("<li>and 28 more: <code>hostgw status</code> on the node lists all</li>", page, StringComparison.Ordinal);
        Assert.Equal(12, Regex.Count(page, "keeps changing HostGw&#39;s route"));
    }

    [Fact]
    public void What_a_Node_says_is_text_and_never_markup()
    {
        const string Hostile = "x\"'<script>alert(1)</script>&amp;\u202Egpj\u0007\uD800";
        ClusterNode node = Given.Node("b 10.244.2.0/24 192.0.2.2", 1) with
        {
            Name = Hostile,
            Uid = Hostile,
            OperatingSystem = Hostile,
            UnreadablePodCidrs = [Hostile],
        };
        Plan plan = Planner.Plan([Given.Node(Given.Self, 0), node], Given.Host(Given.Lan), Given.Policy(""));
        ApplyResult refused = new() { Failures = [new(HostPart.Nat, Hostile, null, new HostRefusal(Hostile))] };
        _board.Record(new() { At = Now, Plan = plan, Result = refused });

        string page = Page(new(Hostile), search: Hostile);

        Assert.Equal(1, Regex.Count(page, "<script"));
        Assert.DoesNotContain("alert(1)</", page, StringComparison.Ordinal);
        Assert.DoesNotContain(page, c => c is '\u202E' or '\u0007');
        Assert.Contains(
            "<th scope=row>x&quot;&#39;&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;\\u{202e}gpj\\u{7}\uFFFD<td>",
            Page(), StringComparison.Ordinal);
        Assert.Contains("value=\"x&quot;&#39;&lt;script&gt;", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(5000)]
    [InlineData(20_000)]
    public void However_many_nodes_there_are_it_stays_small(int count)
    {
        Agent agent = new("interface=eth0", "eth0 10.0.0.1/15 fd00:aaaa::1/64") { Nodes = Many(count) };
        _board.Record(agent.Pass());

        int bytes = Encoding.UTF8.GetByteCount(Page());
        TestContext.Current.TestOutputHelper?.WriteLine($"{count} nodes: {bytes:N0} bytes");
        Assert.InRange(bytes, 5_000, count < 10 ? 16_000 : 100_000);
    }

    [Fact]
    public void Of_many_nodes_those_with_a_problem_come_first_and_any_can_be_searched_for()
    {
        string[] nodes = [.. Many(3000), "zz 10.255.255.0/24 192.0.2.6"];
        _board.Record(new Agent("interface=eth0", "eth0 10.0.0.1/15 fd00:aaaa::1/64") { Nodes = nodes }.Pass());

        string page = Page();
        Assert.Equal("zz", Regex.Match(page, "<th scope=row>([^<]+)").Groups[1].Value);
        Assert.Equal(PeersTable.MaxRows, Regex.Count(page, "<th scope=row>"));
        Assert.Contains(
            "Problems first: 100 of 3,000 podCIDRs of peers (1 notAdjacent, 2,999 installed); search to see the other 2,900.",
            page, StringComparison.Ordinal);
        Assert.Contains("✓ 2,999 installed", page, StringComparison.Ordinal);

        Assert.Equal(["n02999"], Rows(Page(search: "N02999")));
        Assert.Equal(["n00010"], Rows(Page(search: "10.16.10.0/24")));
        Assert.Equal(["n02999"], Rows(Page(search: "10.0.27.250")));
        Assert.Empty(Rows(Page(search: "nobody")));
        Assert.Contains("Found: 1 of 3,000 podCIDRs", Page(search: "N02999"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_few_peers_are_drawn_each_and_many_are_counted()
    {
        _board.Record(new Agent("", "eth0 10.0.0.1/15") { Nodes = Many(PeersPicture.MaxDrawn + 1) }.Pass());
        Assert.Equal(PeersPicture.MaxDrawn, Regex.Count(Page(), "<line "));

        _board.Record(new Agent("", "eth0 10.0.0.1/15") { Nodes = Many(PeersPicture.MaxDrawn + 2) }.Pass());
        Assert.Equal(0, Regex.Count(Page(), "<line "));
        Assert.Contains("<title id=picture-title>self and its peers' podCIDRs: 17 installed</title>", Page(), StringComparison.Ordinal);
    }

    [Fact]
    public void It_has_one_heading_of_the_first_level_a_language_captions_and_scopes()
    {
        _board.Record(Reports.First());
        string page = Page();

        Assert.Equal(1, Regex.Count(page, "<h1>"));
        Assert.Contains("<html lang=en", page, StringComparison.Ordinal);
        Assert.Equal(Regex.Count(page, "<table>"), Regex.Count(page, "<table>\n<caption>"));
        Assert.Equal(Regex.Count(page, "<th[ >]"), Regex.Count(page, "<th scope="));
        Assert.Contains("<svg viewBox=\"0 0 760 372\" role=img aria-labelledby=picture-title>", page, StringComparison.Ordinal);
        Assert.Contains("<noscript><meta http-equiv=refresh content=5></noscript>", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_in_it_comes_from_elsewhere()
    {
        _board.Record(Reports.First());

        var references = Regex.Matches(Page(), "(?:href|src|action)=\"?([^\" >]+)").Select(m => m.Groups[1].Value);
        Assert.Equal(["data:,", "/status", "/metrics", "/readyz"], references);
        Assert.DoesNotContain("http://", Page(), StringComparison.Ordinal);
        Assert.DoesNotContain("https://", Page(), StringComparison.Ordinal);
        Assert.DoesNotContain("url(", Page(), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_probes_nothing_is_shown_of_them_and_a_peer_that_never_answered_is_drawn_as_before()
    {
        Agent agent = new();
        _board.Record(agent.Pass());
        string off = Page();
        Assert.DoesNotContain("Probes", off, StringComparison.Ordinal);
        Assert.DoesNotContain("unknown<", off, StringComparison.Ordinal);

        _probes = Reports.Probes with { Reachability = Reports.Of() };
        string unknown = Page();
        Assert.Equal(Picture(off), Picture(unknown));
        Assert.Contains("<th scope=col>Probes", unknown, StringComparison.Ordinal);
        Assert.Contains("<dt>Probes of peers<dd>2 unknown\n", unknown, StringComparison.Ordinal);

        static string Picture(string page) => page[page.IndexOf("<svg", StringComparison.Ordinal)..page.IndexOf("</svg>", StringComparison.Ordinal)];
    }

    [Fact]
    public void Peers_that_probes_do_not_reach_come_first_and_are_counted_in_the_picture()
    {
        Agent agent = new("interface=eth0", "eth0 10.0.0.1/15 fd00:aaaa::1/64") { Nodes = Many(3000) };
        agent.Reachability = Reports.Of(
            ("10.16.9.0/24", ReachKind.PodTrafficDropped, 0u), ("10.16.7.0/24", ReachKind.Unreachable, 0u),
            ("10.16.8.0/24", ReachKind.Reachable, 180u));
        _board.Record(agent.Pass());
        _probes = Reports.Probes with { Reachability = agent.Reachability };

        string page = Page();
        Assert.Equal(["n00009", "n00007"], Rows(page)[..2]);
        Assert.Contains("✗ 1 podTrafficDropped", page, StringComparison.Ordinal);
        Assert.Contains("✗ 1 unreachable", page, StringComparison.Ordinal);
        Assert.Contains("<td class=word>reachable, 0.18 ms<td>", Row(Page(search: "n00008"), "n00008"), StringComparison.Ordinal);
        Assert.Contains("<span class=warning>ready, with problems</span>", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_many_elsewhere_only_those_that_the_network_does_not_reach_are_a_problem()
    {
        string[] elsewhere = [.. Agent.ThreeNodes, "f 10.244.6.0/24 192.0.2.6", "g 10.244.7.0/24 192.0.2.7"];
        Agent agent = new() { Nodes = elsewhere, Reachability = Reports.Of(("10.244.6.0/24", ReachKind.RoutedByNetwork, 900u)) };
        _board.Record(agent.Pass());

        Assert.Contains(
            "<li>node g 10.244.7.0/24 (notAdjacent): 192.0.2.7 is not on this host&#39;s segment (eth0) <", Page(), StringComparison.Ordinal);
    }

    private static string[] Many(int count) =>
    [
        Given.Self,
        .. Enumerable.Range(1, count - 1).Select(i => $"n{i:D5} 10.{16 + i / 256}.{i % 256}.0/24 10.0.{16 + i / 250}.{i % 250 + 1}"),
    ];

    private static string[] Live(string page) => [.. Regex.Matches(page, "id=([a-z]+) data-live").Select(m => m.Groups[1].Value)];

    private static string[] Rows(string page) => [.. Regex.Matches(page, "<th scope=row>([^<]+)").Select(m => m.Groups[1].Value)];

    private static string Row(string page, string node) => Regex.Match(page, $"<th scope=row>{node}<.*").Value;

    private string Page(ApiHealth api = default, string search = "") =>
        Encoding.UTF8.GetString(StatusPage.Write(new(
            _board.View with { Probes = _probes }, api with { ResourceVersion = "42" }, "0.1.0+abc", "self", Now, search)));
}
