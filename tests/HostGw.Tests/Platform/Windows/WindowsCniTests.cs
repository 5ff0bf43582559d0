using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Reconciliation;

namespace HostGw.Tests.Platform.Windows;

[SupportedOSPlatform("windows")]
[Collection(nameof(WindowsTests))]
public sealed class WindowsCniTests
{
    private const string On = "cni=on clusterCidrs=10.244.0.0/16 serviceCidrs=10.96.0.0/12 nat.exempt=192.168.1.0/24";

    [Fact]
    public void It_is_win_bridge_on_the_pods_network_which_keeps_pods_addresses_where_linux_does()
    {
        using WindowsAgent agent = new(On);
        PassReport report = agent.Pass();
        Assert.Equal(($"wrote {agent.CniFile}", new CniInUse(agent.CniFile, IsOurs: true)), (report.Result.CniChange, report.Result.Cni));
        Assert.Equal(
            """
            {
              "cniVersion": "0.3.1",
              "name": "cbr0",
              "plugins": [
                {
                  "type": "win-bridge",
                  "apiVersion": 2,
                  "loopbackDSR": true,
                  "capabilities": {
                    "portMappings": true,
                    "dns": true
                  },
                  "ipam": {
                    "type": "host-local",
                    "subnet": "10.244.1.0/24",
                    "gateway": "10.244.1.2",
                    "rangeStart": "10.244.1.3"
                  },
                  "policies": [
                    {
                      "name": "EndpointPolicy",
                      "value": {
                        "Type": "OutBoundNAT",
                        "Settings": {
                          "Exceptions": [
                            "10.96.0.0/12",
                            "10.244.0.0/16",
                            "192.168.1.0/24"
                          ]
                        }
                      }
                    },
                    {
                      "name": "EndpointPolicy",
                      "value": {
                        "Type": "SDNRoute",
                        "Settings": {
                          "DestinationPrefix": "10.96.0.0/12",
                          "NeedEncap": true
                        }
                      }
                    }
                  ]
                }
              ]
            }

            """, File.ReadAllText(agent.CniFile));
        Assert.False(agent.Pass().Changed);
    }

    [Fact]
    public void Without_a_cluster_cidr_each_peers_pods_are_an_exception()
    {
        using WindowsAgent agent = new("cni=on");
        agent.Pass();
        Assert.DoesNotContain("10.244.4.0/24", File.ReadAllText(agent.CniFile), StringComparison.Ordinal);
        agent.Nodes = [.. agent.Nodes, "more 10.244.4.0/24 10.0.0.4"];
        PassReport report = agent.Pass();
        // Somebody asked for it: no repair.
        Assert.Equal(($"rewrote {agent.CniFile}", 0), (report.Result.CniChange, report.Repairs.Cni));
        Assert.Contains("10.244.4.0/24", File.ReadAllText(agent.CniFile), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_nat_pods_keep_their_address_everywhere()
    {
        using WindowsAgent agent = new("cni=on nat=off");
        agent.Pass();
        Assert.Contains("\"policies\": []", File.ReadAllText(agent.CniFile), StringComparison.Ordinal);
    }

    [Fact]
    public void Unasked_there_is_none_and_one_of_ours_goes()
    {
        using WindowsAgent agent = new();
        agent.Pass();
        Assert.False(File.Exists(agent.CniFile));
        Put(agent, "10-hostgw.conflist", "{}");
        Assert.Equal($"removed {agent.CniFile}", agent.Pass().Result.CniChange);
        Assert.False(File.Exists(agent.CniFile));
    }

    [Fact]
    public void What_somebody_made_of_it_is_put_right()
    {
        using WindowsAgent agent = new(On);
        agent.Pass();
        string right = File.ReadAllText(agent.CniFile);
        File.WriteAllText(agent.CniFile, "{}");
        PassReport report = agent.Pass(WakeCauses.Cni);
        Assert.Equal(($"rewrote {agent.CniFile}", 1, right), (report.Result.CniChange, report.Repairs.Cni, File.ReadAllText(agent.CniFile)));
    }

    [Fact]
    public async Task A_change_of_it_is_news()
    {
        using WindowsAgent agent = new(On);
        using CancellationTokenSource end = new();
        using SemaphoreSlim told = new(0);
        Task watch = agent.Host.WatchAsync(causes => _ = causes.HasFlag(WakeCauses.Cni) ? told.Release() : 0, end.Token);
        agent.Pass();
        File.Delete(agent.CniFile);
        Assert.True(await told.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken));
        await end.CancelAsync();
        await watch;
    }

    [Fact]
    public void Another_plugins_configuration_keeps_its_place()
    {
        using WindowsAgent agent = new(On);
        Put(agent, "10-flannel.conf", """{"name": "flannel", "type": "flannel"}""");
        PassReport report = agent.Pass();
        Assert.Equal((false, false), (File.Exists(agent.CniFile), report.Result.Cni!.IsOurs));
    }

    [Fact]
    public void Without_the_plugins_nothing_is_written_and_their_names_are_told()
    {
        using WindowsAgent agent = new(On);
        File.Delete(Path.Combine(agent.BinFolder, "win-bridge.exe"));
        HostFailure failure = Assert.Single(agent.Pass().Failures);
        Assert.Equal($"{agent.BinFolder} has no win-bridge.exe: install the CNI plugins for Windows (github.com/containernetworking/plugins), or name their folder in cni.binDirectory", failure.Error.Message);
        Assert.False(File.Exists(agent.CniFile));
    }

    // win-bridge finds the network by its name, and sends pods' packets to the host's end of it.
    [Fact]
    public void Before_the_pods_network_is_there_no_pod_may_start()
    {
        using WindowsAgent agent = new(On, $"remove-interface {WindowsAgent.PodEndpoint}");
        PassReport report = agent.Pass();
        Assert.Equal((false, true), (File.Exists(agent.CniFile), report.Failures.Count == 0));
        const string Why = "the pods' network is not there: no interface vEthernet (cbr0) or vEthernet (cbr0_ep), hence no CNI configuration (windows.createNetwork makes it; windows.network names another)";
        Assert.Equal([Why], report.Result.Obstacles);
        Assert.Equal($"none, for {Why}", agent.Preview(new() { Routes = new(), ChangesCni = true, Cni = report.Plan!.Cni }).CniChange);

        StandIn.Do($"interface {WindowsAgent.PodEndpoint} 12 up 15 - vEthernet (cbr0_ep)");
        report = agent.Pass();
        Assert.Equal((true, 0), (File.Exists(agent.CniFile), report.Result.Obstacles.Count));
    }

    [Fact]
    public void A_refused_route_to_one_peer_does_not_prevent_it()
    {
        using WindowsAgent agent = new(On, "answer CreateIpForwardEntry2 5 1");
        Assert.Equal(HostPart.Routes, Assert.Single(agent.Pass().Failures).Part);
        Assert.True(File.Exists(agent.CniFile));
    }

    [Fact]
    public void Before_the_host_forwards_no_pod_may_start()
    {
        using WindowsAgent agent = new(On, "answer SetIpInterfaceEntry 5 1");
        Assert.NotEmpty(agent.Pass().Failures);
        Assert.False(File.Exists(agent.CniFile));
        agent.Pass();
        Assert.True(File.Exists(agent.CniFile));
    }

    [Fact]
    public void A_node_without_an_ipv4_podCIDR_gets_none_and_is_told_why()
    {
        using WindowsAgent agent = new("cni=on") { Nodes = ["self fd00:10:244:1::/64 fd00:aaaa::1 windows"] };
        HostFailure failure = Assert.Single(agent.Pass().Failures);
        Assert.Equal("win-bridge needs an IPv4 podCIDR, and this node has none: set cni.install to false here", failure.Error.Message);
    }

    private static void Put(WindowsAgent agent, string name, string text)
    {
        string folder = Path.GetDirectoryName(agent.CniFile)!;
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, name), text);
    }
}
