using HostGw.Planning;

namespace HostGw.Tests.Planning;

public class NodeSelectorTests
{
    // The selector, then the node's labels, then whether it is selected.
    [Theory]
    [InlineData("", "-", true)]
    [InlineData(" , ", "-", true)]
    [InlineData("zone=a", "zone:a", true)]
    [InlineData("zone==a", "zone:a", true)]
    [InlineData(" zone = a ", "zone:a", true)]
    [InlineData("zone=a", "zone:b", false)]
    [InlineData("zone=a", "-", false)]
    [InlineData("zone!=a", "zone:b", true)]
    [InlineData("zone!=a", "zone:a", false)]
    [InlineData("zone!=a", "-", true)]
    [InlineData("zone", "zone:a", true)]
    [InlineData("zone", "-", false)]
    [InlineData("!zone", "-", true)]
    [InlineData("! zone", "zone:a", false)]
    [InlineData("zone in (a,b)", "zone:b", true)]
    [InlineData("zone in ( a , b )", "zone:b", true)]
    [InlineData("zone in (a,b)", "zone:c", false)]
    [InlineData("zone in (a,b)", "-", false)]
    [InlineData("zone notin (a,b)", "zone:c", true)]
    [InlineData("zone notin (a,b)", "zone:a", false)]
    [InlineData("zone notin (a,b)", "-", true)]
    [InlineData("zone=a,tier!=x", "zone:a", true)]
    [InlineData("zone=a,tier!=x", "zone:a,tier:x", false)]
    [InlineData("zone in (a,b),tier", "zone:a,tier:x", true)]
    [InlineData("zone in (a,b),tier", "zone:a", false)]
    [InlineData("node-role.kubernetes.io/worker", "node-role.kubernetes.io/worker:", true)]
    [InlineData("zone=", "zone:", true)]
    [InlineData("zone=", "zone:a", false)]
    public void A_selector_means_what_kubectl_means_by_it(string selector, string labels, bool expected) =>
        Assert.Equal(expected, NodeSelector.Parse(selector).Matches(Given.Node($"peer - - labels={labels}", 0)));

    [Theory]
    [InlineData("=a")]
    [InlineData("!")]
    [InlineData("!=a")]
    [InlineData("zone in (a")]
    [InlineData("zone in a")]
    [InlineData("zone in")]
    [InlineData("zone has (a)")]
    [InlineData("zone=a b")]
    [InlineData("zone=a=b")]
    [InlineData("zone=a)")]
    [InlineData("(zone)")]
    [InlineData("!zone=a")]
    [InlineData("zone>5")]
    [InlineData("zone=\"a\"")]
    [InlineData("zone = a;b")]
    public void What_cannot_be_read_is_quoted(string selector)
    {
        FormatException error = Assert.Throws<FormatException>(() => NodeSelector.Parse(selector));
        Assert.Contains($"'{selector}'", error.Message, StringComparison.Ordinal);
    }
}
