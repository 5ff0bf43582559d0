using System.Text;
using HostGw.Platform.Cni;

namespace HostGw.Tests.Platform.Cni;

public class CniOrderTests
{
    private const string Ptp = """{"name": "n", "type": "ptp"}""";
    private const string List = """{"name": "n", "plugins": [{"type": "calico"}, {"type": "portmap"}]}""";
    private const string Loopback = """{"name": "lo", "type": "loopback"}""";

    [Theory]
    [InlineData("10-flannel.conflist", List)]
    [InlineData("10-flannel.conf", Ptp)]
    [InlineData("05-cilium.json", Ptp)]
    [InlineData("10-containerd-net.conflist", List)]
    [InlineData("00-multus.conf", """{"type": "multus-shim"}""")]
    public void Another_plugins_that_comes_first_is_the_one(string name, string text) =>
        Assert.Equal(new CniOrder(name, null), Of(CniOrder.Usual, (name, text)));

    [Theory]
    [InlineData("100-crio-bridge.conflist", List)]
    [InlineData("87-podman-bridge.conflist", List)]
    [InlineData("11-crio-ipv4-bridge.conflist", List)]
    [InlineData("nerdctl-bridge.conflist", List)]
    [InlineData("20-broken.conflist", "{")]
    [InlineData("20-loopback.conf", Loopback)]
    [InlineData("99-loopback.conf", Loopback)]
    [InlineData("200-loopback.conflist", """{"name": "lo", "plugins": [{"type": "loopback"}]}""")]
    [InlineData("10-flannel.conflist.cilium_bak", List)]
    [InlineData("05-cilium.conf.disabled", Ptp)]
    [InlineData("README", "")]
    [InlineData(".hostgw.tmp", List)]
    [InlineData("00-hostgw.conflist", List)]
    public void What_comes_later_or_is_not_looked_at_does_not_count(string name, string text) =>
        Assert.Equal(new CniOrder(null, null), Of(CniOrder.Usual, (name, text)));

    [Theory]
    [InlineData("00-broken.conflist", "{")]
    [InlineData("00-empty.conf", "")]
    [InlineData("00-typeless.conf", """{"name": "n"}""")]
    [InlineData("00-nameless.conflist", """{"plugins": [{"type": "ptp"}]}""")]
    [InlineData("00-none.conflist", """{"name": "n", "plugins": []}""")]
    [InlineData("00-typeless.conflist", """{"name": "n", "plugins": [{"type": "ptp"}, {}]}""")]
    [InlineData("00-no-object.conflist", "[]")]
    [InlineData("00-single.conflist", Ptp)]
    public void What_no_runtime_can_load_does_not_keep_us_out_but_is_told(string name, string text)
    {
        CniOrder order = Of(CniOrder.Usual, (name, text));
        Assert.Null(order.Other);
        Assert.Equal($"{name} comes before 10-hostgw.conflist and is no CNI configuration: containerd then loads none at all; remove it", order.Problem);
    }

    [Fact]
    public void A_loopback_that_comes_first_does_not_keep_us_out_but_is_told() => Assert.Equal(
        "00-loopback.conf comes before 10-hostgw.conflist and holds only loopback: a runtime takes it for the pods' network; rename it to 99-loopback.conf",
        Of(CniOrder.Usual, ("00-loopback.conf", Loopback)).Problem);

    [Fact]
    public void Behind_one_that_cannot_be_loaded_another_still_counts() =>
        Assert.Equal("10-calico.conflist", Of(CniOrder.Usual, ("10-calico.conflist", List), ("00-broken.conf", "{")).Other);

    [Fact]
    public void What_may_not_be_read_is_somebodys() => Assert.Equal("05-secret.conf", CniOrder.Of(CniOrder.Usual, false, ["05-secret.conf"], _ => null).Other);

    [Fact]
    public void The_first_of_several_is_named() =>
        Assert.Equal("05-cilium.conf", Of(CniOrder.Usual, ("10-flannel.conflist", List), ("05-cilium.conf", Ptp)).Other);

    [Fact]
    public void Taking_over_means_to_come_before_them()
    {
        Assert.Null(Of(CniOrder.First, ("05-cilium.conf", Ptp), ("10-flannel.conflist", List)).Other);
        Assert.Equal("00-a.conf", Of(CniOrder.First, ("00-a.conf", Ptp)).Other);
    }

    [Theory]
    [InlineData("10-kindnet.conflist", List)]
    [InlineData("10-kuberouter.conflist", List)]
    [InlineData("10-weave.conf", Ptp)]
    [InlineData("30-anything.conflist", List)]
    public void What_a_clusters_plugin_put_later_counts_until_ours_is_in_use(string name, string text)
    {
        Assert.Equal(new CniOrder(name, null), Of(CniOrder.Usual, (name, text)));
        Assert.Null(CniOrder.Of(CniOrder.Usual, isInstalled: true, [name], _ => Encoding.UTF8.GetBytes(text)).Other);
        Assert.Null(Of(CniOrder.First, (name, text)).Other);
    }

    private static CniOrder Of(string own, params (string Name, string Text)[] files) =>
        CniOrder.Of(own, isInstalled: false, [.. files.Select(f => f.Name)], name => Encoding.UTF8.GetBytes(files.Single(f => f.Name == name).Text));
}
