using System.Text.RegularExpressions;
using HostGw.Lab.Agents;
using HostGw.Lab.Network;
using HostGw.Lab.Probes;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>Pods that Debian's own CNI plugins make of the configuration that the real agents wrote.</summary>
public sealed class CniPodTests : CniCluster
{
    [Fact]
    public async Task They_reach_each_other_in_both_families_with_their_own_addresses_and_the_world_with_their_nodes()
    {
        One.Network.Configure(["link set eth0 mtu 1400"]);
        await StartAsync();
        Pod[] pods = [.. Cluster.Nodes.SelectMany(n => new[] { AddPod(n, "a"), AddPod(n, "b") })];

        PingMatrix matrix = PingMatrix.Measure(pods, Expect.Patience);

        Assert.Empty(matrix.Unanswered);
        Assert.Empty(matrix.ForeignSources);
        Assert.Equal(4 * 3 * 2, matrix.Answered);
        foreach (Pod pod in pods)
        {
            Node node = Cluster.Nodes.Single(n => pod.Name.StartsWith(n.Name, StringComparison.Ordinal));
            Assert.All(Addressing.Outside.Zip(node.Addresses), o => Assert.Equal(o.Second, matrix.Source(pod, o.First)));
            Assert.Contains($"mtu {(node == One ? 1400 : 1500)} ", pod.Network.Exec("ip", "link", "show", "eth0"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task They_reach_each_other_and_themselves_through_a_Service_on_both_nodes()
    {
        await StartAsync();
        Pod a = AddPod(One, "a"), same = AddPod(One, "b"), far = AddPod(Cluster.Node(2), "c");
        Pod[] backends = [a, same, far];
        foreach (Node node in Cluster.Nodes)
            node.Network.Exec("sh", "-c", $"nft -f - <<'END'\n{Services(backends)}\nEND");

        foreach (Pod asking in backends)
        {
            for (int i = 0; i < backends.Length; i++)
            {
                foreach (int family in (int[])[0, 1])
                {
                    IPAddress? source = SourceEcho.Ask(asking.Network, IPAddress.Parse(Service(i, family)), Expect.Patience);
                    Assert.True(source is not null, $"{asking.Name} -> {backends[i].Name}, {(family == 0 ? "IPv4" : "IPv6")}");
                    if (asking != backends[i])
                        Assert.Equal(asking.Addresses[family], source);
                }
            }
        }
    }

    // Duplicate address detection of the gateway's address on the host would take more than a second.
    [Fact]
    public async Task A_new_pods_IPv6_works_at_once()
    {
        await StartAsync();
        Pod far = AddPod(Cluster.Node(2), "far");
        await Eventually.TrueAsync(
            () => SourceEcho.Ask(Cluster.Node(2).Network, far.Addresses[1], Expect.Patience) is not null, () => "the other pod does not answer");

        DetectDuplicates(One.Network);
        int pods = 0;
        await Eventually.TrueAsync(WorksAtOnce, () => $"none of {pods} pods has IPv6 at once");
        Assert.Equal("1", One.Network.Sysctl("ipv6/conf/default/accept_dad"));

        // On a busy machine the plugin may be faster than the agent.
        bool WorksAtOnce()
        {
            Pod pod = AddPod(One, $"a{++pods}", prepare: DetectDuplicates);
            return pod.Addresses[1].Equals(SourceEcho.Ask(pod.Network, far.Addresses[1], TimeSpan.FromMilliseconds(500)));
        }

        // As everywhere but in the lab.
        static void DetectDuplicates(NetworkNamespace network)
        {
            network.Sysctl("ipv6/conf/default/accept_dad", "1");
            network.Sysctl("ipv6/conf/default/dad_transmits", "1");
        }
    }

    [Fact]
    public async Task Pods_that_keep_addresses_of_a_former_podCIDR_are_named_by_the_doctor()
    {
        await StartAsync();
        Pod pod = AddPod(One, "a");
        Cluster.Api.Server.Nodes.Put(Cluster.Describe(One) with { PodCidrs = ["192.168.77.0/24", "fd00:192:168:77::/64"] });
        await Eventually.TrueAsync(
            () => System.IO.File.ReadAllText(File(One)).Contains("192.168.77.0/24", StringComparison.Ordinal), () => "not written again");

        Assert.Equal(["formerPods"], Agent.Diagnose());
        AddPod(One, "b");
        Assert.Equal(["formerPods"], Agent.Diagnose());
        Assert.NotEmpty(pod.Addresses);
    }

    [Fact]
    public async Task A_host_port_leads_to_a_pod_from_outside()
    {
        await StartAsync();
        AddPod(One, "a", SourceEcho.Port);

        Assert.All(One.Addresses, address => Assert.NotNull(SourceEcho.Ask(Cluster.Outside.Network, address, Expect.Patience)));
    }

    [Fact]
    public async Task A_rolling_restart_of_all_agents_loses_no_ping_and_no_byte()
    {
        await StartAsync();
        Pod a = AddPod(One, "a"), same = AddPod(One, "b"), far = AddPod(Cluster.Node(2), "c");
        Pod[] pods = [a, same, far];
        using var flood = PingFlood.Start(
            from x in pods from y in pods where x != y from address in y.Addresses select (x.Network, address), TimeSpan.FromMilliseconds(5));
        using var transfer = TcpTransfer.Start(a.Network, far.Network, far.Addresses[0]);
        using var transferV6 = TcpTransfer.Start(far.Network, a.Network, a.Addresses[1]);

        foreach (Agent agent in Cluster.Agents)
        {
            long before = transfer.Received;
            await agent.StopAsync();
            await agent.StartAndWaitAsync();
            await Eventually.TrueAsync(() => transfer.Received > before, () => "the transfer stands still");
        }

        PingFloodResult result = flood.Stop();
        Assert.True(result.Lost == 0 && result.Sent > 0, $"{result}");
        foreach (TcpTransfer tcp in (TcpTransfer[])[transfer, transferV6])
        {
            (long sent, long arrived) = await tcp.StopAsync();
            Assert.Equal(sent, arrived);
        }
        Assert.All(Cluster.Agents, g => Assert.Single(g.Log.Lines, l => Regex.IsMatch(l, "Changed the CNI configuration")));
    }

    private static string Service(int backend, int family) => family == 0 ? $"10.96.0.{10 + backend}" : $"fd00:96::{10 + backend}";

    // What kube-proxy does: the address becomes a pod's, and a pod that gets itself sees its node.
    private static string Services(Pod[] backends) => $$"""
        table inet services {
          chain prerouting { type nat hook prerouting priority dstnat;
            {{string.Concat(backends.Select((b, i) => $"ip daddr {Service(i, 0)} dnat ip to {b.Addresses[0]}; ip6 daddr {Service(i, 1)} dnat ip6 to {b.Addresses[1]}; "))}}
          }
          chain postrouting { type nat hook postrouting priority srcnat - 1;
            {{string.Concat(backends.Select(b => $"ip saddr {b.Addresses[0]} ip daddr {b.Addresses[0]} masquerade; ip6 saddr {b.Addresses[1]} ip6 daddr {b.Addresses[1]} masquerade; "))}}
          }
        }
        """;
}
