using System.Text;
using HostGw.Planning;
using HostGw.Platform.Cni;

namespace HostGw.Tests.Platform.Cni;

public class ConflistTests
{
    [Fact]
    public void Dual_stack_to_the_letter() => Assert.Equal(
        """
        {
          "cniVersion": "1.0.0",
          "name": "hostgw",
          "plugins": [
            {
              "type": "ptp",
              "mtu": 9000,
              "ipam": {
                "type": "host-local",
                "dataDir": "/run/cni-ipam",
                "ranges": [
                  [
                    {
                      "subnet": "10.244.1.0/24"
                    }
                  ],
                  [
                    {
                      "subnet": "fd00:10:244:1::/64"
                    }
                  ]
                ],
                "routes": [
                  {
                    "dst": "0.0.0.0/0"
                  },
                  {
                    "dst": "::/0"
                  }
                ]
              }
            },
            {
              "type": "portmap",
              "capabilities": {
                "portMappings": true
              }
            }
          ]
        }

        """, Text(9000, "10.244.1.0/24", "fd00:10:244:1::/64"));

    [Theory]
    [InlineData("fd00:10:244:1::/64", "::/0", "0.0.0.0/0")]
    [InlineData("10.244.1.0/24", "0.0.0.0/0", "::/0")]
    public void One_family_has_one_default_route(string podCidr, string has, string hasNot)
    {
        string text = Text(1500, podCidr);
        Assert.Contains($"\"dst\": \"{has}\"", text, StringComparison.Ordinal);
        Assert.DoesNotContain($"\"dst\": \"{hasNot}\"", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_runtime_takes_it_for_a_network() =>
        Assert.Equal(CniNetwork.Network, CniNetworks.Judge(CniOrder.Usual, Encoding.UTF8.GetBytes(Text(1500, "10.244.1.0/24"))));

    private static string Text(int mtu, params string[] podCidrs) =>
        Encoding.UTF8.GetString(Conflist.Write(new([.. podCidrs.Select(Prefix.Parse)], mtu)));
}
