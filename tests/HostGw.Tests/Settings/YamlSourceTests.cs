namespace HostGw.Tests.Settings;

public class YamlSourceTests
{
    public static TheoryData<string, string, string> Forms => new()
    {
        { "nested maps",
            "nat:\n  backend: none\n  exempt: [192.0.2.0/24, 198.51.100.0/24]", "Policy.Nat.Exempt = 192.0.2.0/24 198.51.100.0/24" },
        { "a block list", "clusterCidrs:\n- 10.244.0.0/16\n- fd00::/56", "Policy.ClusterCidrs = 10.244.0.0/16 fd00::/56" },
        { "a comma-separated list", "clusterCidrs: 10.244.0.0/16, fd00::/56", "Policy.ClusterCidrs = 10.244.0.0/16 fd00::/56" },
        { "a dotted key", "nat.ipv6: false", "Policy.Nat.IPv6 = False" },
        { "JSON", "{\"nat\": {\"ipv6\": false}}", "Policy.Nat.IPv6 = False" },
        { "quotes, comments and a document start", "# mine\n---\nresyncSeconds: \"30\" # half\n", "ResyncSeconds = 30" },
        { "null is not set", "resyncSeconds:\nnat: ~\nlog:\n  level: null", "ResyncSeconds = 60" },
        { "a quoted empty text is a value", "interface: eth0\nkubeconfig: ''", "Kubeconfig = " },
        { "an empty file", "", "ResyncSeconds = 60" },
        { "only comments", "# nothing\n", "ResyncSeconds = 60" },
        { "a byte order mark", "\uFEFFresyncSeconds: 30", "ResyncSeconds = 30" },
        { "what helm makes of a bare on", "clusterCidrs: [10.244.0.0/16]\nclusterRoute: true", "Policy.ClusterRoute = On" },
        { "Windows line ends", "resyncSeconds: 30\r\nadopt: all\r\n", "ResyncSeconds = 30" },
    };

    public static TheoryData<string, string> Refused => new()
    {
        { "resyncSeconds: 30\nnat:\n  randomfuly: true", "config.yaml:3: 'nat.randomfuly' is no setting; the nearest is nat.randomFully" },
        { "randomFully: true", "config.yaml:1: 'randomFully' is no setting; the nearest is nat.randomFully" },
        { "nats:\n  backend: {deep: [1]}", "config.yaml:1: 'nats' is no setting; the nearest is nat" },
        { "adopt: all\n\nadopt: none", "config.yaml:3: 'adopt' is given twice" },
        { "nat: {ipv6: true}\nnat: {ipv6: false}", "config.yaml:2: 'nat' is given twice" },
        { "nat:\n  ipv6: true\nnat.ipv6: false", "config.yaml:3: 'nat.ipv6' is given twice" },
        { "interface: [eth0, eth1]",
            "config.yaml:1: interface is a list; it must be auto, an interface name, a pattern such as eth*, or an aligned CIDR " +
            "that holds its address; never lo" },
        { "nodeSelector:\n  pool: a",
            "config.yaml:1: nodeSelector is a map; it must be a label selector such as pool=a,tier!=db,!virtual,zone in (x,y)" },
        { "clusterCidrs: {a: b}", "config.yaml:1: clusterCidrs is a map; it must be CIDRs such as 10.244.0.0/16,fd00:10:244::/56" },
        { "clusterCidrs:\n- [10.0.0.0/8]",
            "config.yaml:2: clusterCidrs must be CIDRs such as 10.244.0.0/16,fd00:10:244::/56, each a plain text" },
        { "nat: nftables", "config.yaml:1: nat must be a map of backend, iptables, source, randomFully, exempt, exemptNodes, ipv6" },
        { "nat:\n\tipv6: true", "config.yaml:2: the line is indented with a tab: YAML wants spaces" },
        { "adopt: &x all", "config.yaml:1: anchors, aliases and tags are not read here: write the value itself" },
        { "resyncSeconds: !!int 30", "config.yaml:1: anchors, aliases and tags are not read here: write the value itself" },
        { "adopt: *x", "config.yaml:1: anchors, aliases and tags are not read here: write the value itself" },
        { "- adopt", "config.yaml:1: the file must be a map of settings, such as 'nextHop: NodeAddress'" },
        { "adopt", "config.yaml:1: the file must be a map of settings, such as 'nextHop: NodeAddress'" },
        { "adopt: all\n---\nadopt: none", "config.yaml:2: the file must hold one document" },
        { "[a]: b", "config.yaml:1: a key must be plain text" },
    };

    [Theory]
    [MemberData(nameof(Forms))]
    public void A_form_of_YAML_is_read(string form, string file, string line)
    {
        string[] lines = Shown.Lines(new Given { File = file }.Read());
        Assert.True(lines.Contains(line), $"{form}: no '{line}'");
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public void A_wrong_file_is_refused_with_its_line(string file, string error) => Assert.Equal(error, new Given { File = file }.Error());

    [Fact]
    public void The_element_at_fault_is_the_one_named() =>
        Assert.Equal(
            "nat.exempt: '192.0.2.1/24' has bits set behind its length: write 192.0.2.0/24 (config.yaml:2)",
            new Given { File = "nat:\n  exempt:\n  - 10.0.0.0/8\n  - 192.0.2.1/24" }.Error());

    [Theory]
    [InlineData("adopt: [")]
    [InlineData("adopt: 'all")]
    [InlineData("a: b: c")]
    [InlineData("{{{{")]
    [InlineData("%YAML 9.9\n---\nadopt: all")]
    [InlineData("adopt: @all")]
    public void What_is_no_YAML_is_refused_with_its_line(string file) =>
        Assert.Matches("^config.yaml:[0-9]+: ", new Given { File = file }.Errors()[^1]);

    [Theory]
    [InlineData('[')]
    [InlineData('{')]
    [InlineData('\n')]
    public void A_deep_file_is_refused_at_once_and_not_with_a_stack_overflow(char nest)
    {
        string deep = nest == '\n'
            ? string.Concat(Enumerable.Range(0, 500).Select(i => new string(' ', i) + "a:\n"))
            : "adopt: " + new string(nest, 1_000_000);
        Assert.EndsWith(": this is nested more than 16 deep", new Given { File = deep }.Errors()[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_huge_file_is_refused()
    {
        Assert.Matches(
            "^config: 'config.yaml' \\(default\\) cannot be read: it is larger than 1 MB$",
            new Given { File = new string('#', (1 << 20) + 1) }.Error());
        new Given { File = new string('#', 1 << 20) }.Read();
    }

    [Fact]
    public void A_file_that_is_not_UTF_8_is_refused()
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(file, [.. "adopt: "u8, 0xFF, 0xFE]);
            Assert.EndsWith(
                "cannot be read: it is not UTF-8 text", new Given { Flags = $"--config {file}" }.Error(), StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
