using System.Security.Cryptography;
using System.Text;
using HostGw.Kubernetes;
using HostGw.Nodes;
using HostGw.Planning;
using HostGw.Platform.Cni;
using HostGw.Platform.Linux;
using HostGw.Platform.Linux.Census;
using HostGw.Platform.Linux.Iptables;
using HostGw.Platform.Linux.Nftables;
using HostGw.Platform.Windows;
using HostGw.Platform.Windows.Hns;
using HostGw.Settings;
using HostGw.Status;
using HostGw.Tests.Nodes;
using HostGw.Tests.Platform.Linux.Census;

namespace HostGw.Tests.Fuzzing;

/// <summary>What lies on the host's disk, what its programs print, and what comes to the status endpoint.</summary>
internal static class FileTargets
{
    private const string Token = "S3cr3tT0k3n";

    private static readonly NodeSelector Zone = NodeSelector.Parse("zone");
    private static readonly DateTimeOffset SavedAt = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly string Kubeconfigs = Directory.CreateTempSubdirectory("hostgw-fuzz").FullName;
    private static readonly string[] Yaml = ["- ", ": ", "\n", "\n  ", "&a ", "*a", "{", "}", "[", "]", "? ", "!!map ", "<<: ", "---\n", "\"\\0\"", "\"\\ud800\"", "|\n", "%YAML 1.2\n"];

    public static IEnumerable<FuzzTarget> All =>
    [
        new("a kubeconfig", Corpus.Of("kubeconfig"), [.. Yaml, "users:", "token: ", "tokenFile: ", "server: "], Kubeconfig, BytesPerByte: 10_000),
        new("the settings file", Corpus.Of("settings"), [.. Yaml, "nat:", "clusterCidrs: "], Settings, BytesPerByte: 10_000),
        new("a CNI configuration", Corpus.Of("cni"), ["\"type\":", "\"plugins\":[", "\"\\ud800\"", "{", "}", "[", "]"], Cni),
        new("the saved nodes", Corpus.Of("saved"), ["\"nodes\":", "\"podCidrs\":[", "-", " ", "\n", "{", "}", "\"\\ud800\""], Saved, BytesPerByte: 2000),
        new("a Windows agent's record of its routes", Corpus.Of("routes"), ["adopted ", "on-link", "/", "::", "\n"], OwnedByUs, BytesPerByte: 500),
        new("what HNS answers", Corpus.Of("hns"), ["\"Ipams\":[", "\"Subnets\":[", "\"Policies\":[", "null", "\"\\ud800\"", "{", "}", "[", "]"], Hns, BytesPerByte: 500),
        new("iptables-save", Corpus.Of("iptables"), ["*nat\n", "-A POSTROUTING ", "COMMIT\n", "\"", "\\", "-j ", "-s ", "! ", "-d 10.244.0.0/16", "--mark ", "--dports ", "-g ", "*filter\n:FORWARD DROP [0:0]\n"], IptablesSave, BytesPerByte: 20_000),
        new("resolv.conf", Corpus.Of("resolv"), ["nameserver ", "%eth0", "::"], bytes => ResolvConf.Parse(Lines(bytes))),
        new("networkd's files", Corpus.Of("networkd"), ["ManageForeignRoutes", "="], bytes => NetworkdConfiguration.RemovesForeignRoutes([Text(bytes)])),
        new("an HTTP request", Corpus.Of("http"), ["\r\n", "Host: ", "?node=", "%", "HTTP/1.1"], Http),
        new("addresses, prefixes, times and selectors", Corpus.Of("values"), ["::", "/", ".", "%", "ffff", "T", "Z", " in (", "!", "="], Values, BytesPerByte: 1000),
    ];

    // Only its own exception, and never a word of a token that stands where tokens stand.
    private static void Kubeconfig(byte[] bytes)
    {
        string path = Path.Combine(Kubeconfigs, "config");
        File.WriteAllBytes(path, bytes);
        try
        {
            ApiConfiguration.BuildConfigFromConfigFile(path);
        }
        catch (ApiConfigurationException e)
        {
            if (!Text(bytes).Replace($"token: {Token}", "", StringComparison.Ordinal).Replace($"args: [{Token}]", "", StringComparison.Ordinal).Contains(Token, StringComparison.Ordinal))
                Assert.DoesNotContain(Token, e.ToString(), StringComparison.Ordinal);
        }
    }

    private static void Settings(byte[] bytes)
    {
        List<string> errors = [];
        new YamlSource("config.yaml", errors).Read(Text(bytes));
        Assert.All(errors, e => Assert.DoesNotContain(e, char.IsControl));
    }

    private static void Cni(byte[] bytes)
    {
        foreach (string name in (string[])["10-a.conflist", "10-a.conf", "10-a.json"])
            CniOrder.Of(CniOrder.Usual, isInstalled: false, [name], _ => bytes);
    }

    // A checksum that fits lets anything through; what is taken is saved again as the same.
    private static void Saved(byte[] bytes)
    {
        try
        {
            SavedNodesFile file = new(Kubeconfigs, Zone);
            SavedNodes nodes = file.Parse(Signed(bytes), SavedAt);
            using MemoryStream again = new();
            file.Write(again, nodes);
            Assert.Equal(nodes.Nodes.Select(NodeText.Text), file.Parse(again.ToArray(), SavedAt).Nodes.Select(NodeText.Text));
        }
        catch (SavedNodesException)
        {
            // It says why it is not believed.
        }
    }

    private static byte[] Signed(byte[] content) => [.. content, .. Encoding.ASCII.GetBytes($"{Convert.ToHexStringLower(SHA256.HashData(content))}\n")];

    private static void OwnedByUs(byte[] bytes)
    {
        OwnedRoutes routes = new();
        routes.Read(Lines(bytes));
        OwnedRoutes again = new();
        Assert.Equal(0, again.Read(routes.Write()));
        Assert.Equal(routes.Write(), again.Write());
    }

    private static void Hns(byte[] bytes)
    {
        string json = Text(bytes);
        foreach (Action read in (Action[])[() => HnsObjects.ReadNetwork(json), () => HnsObjects.ReadEndpoint(json), () => HnsObjects.ReadNamespace(json), () => HnsObjects.ReadIds(json)])
        {
            try
            {
                read();
            }
            catch (WindowsException)
            {
                // The pass fails and is repeated.
            }
        }
    }

    private static void IptablesSave(byte[] bytes)
    {
        SavedTable table = new("nat", (_, _) => true);
        foreach (string line in Lines(bytes))
            table.Read(line);
        List<AddressRange> mentions = [];
        Walk walk = new(Ruleset.Chains(Text(bytes), ipv4: true, mentions), new(TimeSpan.FromMinutes(1)));
        walk.Follow([Ruleset.Traffic()], mentions);
        Assert.NotNull(RuleFindings.Of(walk, Ruleset.Own));
        Assert.All(table.All, r => table.DropsEverything(r.Rule));
    }

    private static void Http(byte[] bytes)
    {
        if (HttpRequest.IsComplete(bytes) && HttpRequest.Parse(bytes) is { } head)
            Assert.False(head.IsForLoopback && head.Host.Contains("evil", StringComparison.Ordinal));
    }

    // What is accepted reads back as it was written.
    private static void Values(byte[] bytes)
    {
        foreach (string text in Lines(bytes))
        {
            if (Ip.TryParse(text, out Ip ip))
                Assert.Equal(ip, Ip.Parse(ip.ToString()));
            if (Prefix.TryParse(text, out Prefix prefix))
                Assert.Equal(prefix, Prefix.Parse(prefix.ToString()));
            try
            {
                NodeSelector.Parse(text);
            }
            catch (FormatException)
            {
                // It says what is wrong with it.
            }
        }
    }

    private static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);

    private static string[] Lines(byte[] bytes) => Text(bytes).Split('\n');
}
