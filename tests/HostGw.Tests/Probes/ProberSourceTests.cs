using HostGw.Probes;

namespace HostGw.Tests.Probes;

/// <summary>From which of its addresses a node asks, and what follows when that is another one.</summary>
public class ProberSourceTests
{
    private const string One = "a 10.244.2.0/24 10.0.0.2", Two = "b 10.244.3.0/24 10.1.0.3";

    [Fact]
    public void When_another_host_has_taken_over_a_virtual_address_peers_are_asked_at_once_from_one_that_is_left()
    {
        ProbedNetwork network = new() { Self = "self 10.244.1.0/24 10.0.0.100,10.0.0.11" };
        network.Follow("eth0 10.0.0.11/24 10.0.0.100/32", [One]);
        network.Run(35);
        Assert.Equal("10.0.0.100 to 10.0.0.2", Sources(network));
        network.Asked.Clear();

        network.Follow("eth0 10.0.0.11/24", [One]);
        network.Run(0.2);
        Assert.Equal("10.0.0.11 to 10.0.0.2", Sources(network));
    }

    [Fact]
    public void Each_peer_is_asked_from_the_interface_towards_it_and_a_new_address_there_concerns_no_other()
    {
        ProbedNetwork network = new() { Self = "self 10.244.1.0/24 10.1.0.12,10.0.0.13,10.0.0.12" };
        network.Follow("eth0 10.0.0.12/24; eth1 10.1.0.12/24", [One, Two]);
        network.Run(35);
        Assert.Equal("10.0.0.12 to 10.0.0.2, 10.1.0.12 to 10.1.0.3", Sources(network));
        network.Asked.Clear();

        network.Follow("eth0 10.0.0.12/24 10.0.0.13/24; eth1 10.1.0.12/24", [One, Two]);
        network.Run(0.2);
        Assert.Equal("10.0.0.13 to 10.0.0.2", Sources(network));
    }

    [Fact]
    public void Without_an_address_that_its_Node_lists_the_kernel_chooses()
    {
        ProbedNetwork network = new() { Self = "self 10.244.1.0/24 203.0.113.1" };
        network.Follow("eth0 10.0.0.1/24", [One]);
        network.Run(5);
        Assert.All(network.Asked.Where(a => a.Question.Path == ProbePaths.Node), a => Assert.True(a.Question.Source.IsNone));
    }

    // Of the questions to nodes.
    private static string Sources(ProbedNetwork network) => string.Join(", ", network.Asked.Select(a => a.Question)
        .Where(q => q.Path == ProbePaths.Node).Select(q => $"{q.Source} to {q.Destination}").Distinct().Order());
}
