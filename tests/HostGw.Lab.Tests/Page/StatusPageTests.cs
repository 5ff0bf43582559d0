using System.Runtime.Versioning;
using HostGw.FakeApi;
using HostGw.Lab.Tests.Image;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests.Page;

/// <summary>The status page as a real browser shows it, on the node whose agent serves it.</summary>
[SupportedOSPlatform("linux")]
public sealed class StatusPageTests : LabTest
{
    private const string Address = "http://127.0.0.1:9157/";

    private Browser _browser = null!;

    private protected override ClusterSettings Settings => Clusters.ByNodeAddress(3);

    private Node One => Cluster.Node(1);

    [Fact]
    public async Task It_shows_the_node_its_peers_and_its_rules_and_breaks_nothing_of_its_policy()
    {
        await OpenAsync();

        Assert.Equal("node1: all in order", await _browser.TextAsync("h1"));
        Assert.Equal("✓ node1 – HostGw", (string?)await _browser.EvaluateAsync("document.title"));
        string peers = await _browser.TextAsync("#peers");
        Assert.Contains("node2\tlinux\t192.168.2.0/24\t10.0.0.12\t✓ installed", peers, StringComparison.Ordinal);
        Assert.Equal(2, (int?)await _browser.EvaluateAsync("document.querySelectorAll('svg line').length"));
        Assert.Contains("applied by nftables", await _browser.TextAsync("#host"), StringComparison.Ordinal);
        Assert.Contains("routes added", await _browser.TextAsync("#passes"), StringComparison.Ordinal);
        // The style is allowed by its hash: without it nothing would be drawn in this colour.
        Assert.Equal("rgb(17, 99, 41)", (string?)await _browser.EvaluateAsync("getComputedStyle(document.querySelector('h1 .good')).color"));
        Assert.Empty(_browser.Complaints);
    }

    [Fact]
    public async Task A_node_that_joins_appears_and_a_fault_and_its_end_too_without_loading_the_page_again()
    {
        await OpenAsync();
        await _browser.EvaluateAsync("window.loadedOnce = true");

        Cluster.Api.Server.Nodes.Put(new NodeSpec("node9") { PodCidrs = ["192.168.9.0/24"], InternalIPs = ["192.0.2.9"] });
        await _browser.UntilAsync("document.querySelector('#problems').innerText.includes('192.0.2.9 is not on this host')");
        await _browser.UntilAsync("document.querySelector('#peers tbody tr').innerText.startsWith('node9')");
        Assert.Equal(3, (int?)await _browser.EvaluateAsync("document.querySelectorAll('svg line').length"));
        Assert.Equal("! node1 – HostGw", (string?)await _browser.EvaluateAsync("document.title"));

        Cluster.Api.Server.Nodes.Delete("node9");
        await _browser.UntilAsync("document.querySelector('#problems').innerText.includes('No problems')");

        One.Network.Configure(["route delete 192.168.2.0/24"]);
        await _browser.UntilAsync("document.querySelector('#passes').innerText.includes('↻ repair')");
        Assert.True((bool?)await _browser.EvaluateAsync("window.loadedOnce"));
        Assert.Empty(_browser.Complaints);
    }

    [Fact]
    public async Task An_agent_that_no_longer_answers_is_told_of_and_so_is_that_it_is_back()
    {
        await OpenAsync();

        await Cluster.Agent(One).KillAsync();
        await _browser.UntilAsync("document.querySelector('#stale').innerText.startsWith('The agent has not answered since ')");
        Assert.Contains("node2", await _browser.TextAsync("#peers"), StringComparison.Ordinal);

        await Cluster.Agent(One).StartAndWaitAsync();
        await _browser.UntilAsync("document.querySelector('#stale').hidden");
    }

    [Fact]
    public async Task Without_JavaScript_it_loads_itself_again()
    {
        await OpenAsync(scripts: false);
        Assert.Contains("node2", await _browser.TextAsync("#peers"), StringComparison.Ordinal);
        await _browser.EvaluateAsync("window.loadedOnce = true");

        Cluster.Api.Server.Nodes.Delete("node2");

        await _browser.UntilAsync("!window.loadedOnce && document.readyState === 'complete' && !document.body.innerText.includes('node2')");
        Assert.Contains("node3", await _browser.TextAsync("#peers"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_hostile_Node_runs_nothing_in_it()
    {
        const string Script = "<img src=x onerror='window.owned=1'><script>window.owned=1</script>";
        Cluster.Api.Server.Nodes.Put(new NodeSpec("node9") { PodCidrs = ["192.168.9.0/24", Script], InternalIPs = ["10.0.0.19"], OperatingSystem = Script });
        await OpenAsync();

        await _browser.UntilAsync("document.body.innerText.includes('<img src=x onerror=')");
        Assert.Equal(0, (int?)await _browser.EvaluateAsync("document.querySelectorAll('img').length"));
        Assert.Equal("undefined", (string?)await _browser.EvaluateAsync("typeof window.owned"));
    }

    [Fact]
    public async Task It_can_be_read_in_light_and_in_dark()
    {
        Cluster.Api.Server.Nodes.Put(new NodeSpec("node9") { PodCidrs = ["192.168.9.0/24"], InternalIPs = ["192.0.2.9"] });
        await OpenAsync();
        One.Network.Configure(["route delete 192.168.2.0/24"]);
        await _browser.UntilAsync("document.querySelector('#passes').innerText.includes('↻ repair')");

        foreach (string scheme in (string[])["light", "dark"])
        {
            await _browser.SetColoursAsync(scheme);
            double least = (double)(await _browser.EvaluateAsync(LeastContrast))!;
            Assert.True(least >= 4.5, $"{scheme}: contrast {least}");
            await KeepPictureAsync(scheme);
        }
    }

    public override async ValueTask DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        await base.DisposeAsync();
    }

    // https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio of every text on the background that it stands on.
    private const string LeastContrast = """
        (() => {
          const rgb = colour => colour.match(/[\d.]+/g).map(Number);
          const light = c => c.slice(0, 3).map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
          const ground = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
          let least = 21;
          for (const e of document.querySelectorAll('body *')) {
            if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || !e.getClientRects().length) continue;
            const style = getComputedStyle(e), svg = e instanceof SVGElement;
            const box = svg && e.previousElementSibling?.closest('rect') || svg && e.parentElement.querySelector('rect');
            const a = light(rgb(svg ? style.fill : style.color)), b = light(box ? rgb(getComputedStyle(box).fill) : ground(e));
            least = Math.min(least, (Math.max(a, b) + .05) / (Math.min(a, b) + .05));
          }
          return least;
        })()
        """;

    // For a person to look at; those in docs/images are renewed on request.
    private async Task KeepPictureAsync(string scheme)
    {
        string folder = Path.Combine(BuiltImage.Repository, Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1" ? "docs/images" : "artifacts/page");
        Directory.CreateDirectory(folder);
        byte[] picture = await _browser.ScreenshotAsync("webp");
        Assert.InRange(picture.Length, 10_000, 150_000);
        await File.WriteAllBytesAsync(Path.Combine(folder, $"status-{scheme}.webp"), picture, TestContext.Current.CancellationToken);
    }

    private async Task OpenAsync(bool scripts = true)
    {
        await StartFirstAgentAsync(Cluster.Node(2), Cluster.Node(3));
        _browser = await Browser.StartAsync(One.Network);
        await _browser.SetColoursAsync("light");
        await _browser.SetScriptsAsync(scripts);
        await _browser.OpenAsync(Address);
    }

    private async Task StartFirstAgentAsync(params Node[] peers)
    {
        await Cluster.Agent(One).StartAndWaitAsync();
        foreach (Node peer in peers)
            await Expect.RouteAsync(One, Expect.ByNodeAddress(peer)[0]);
    }
}
