using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using HostGw.Kubernetes;
using k8s.Models;

namespace HostGw.Tests.Kubernetes;

public class ApiServerEndpointsTests
{
    private static readonly ImmutableArray<Prefix> OwnPodCidrs = [Prefix.Parse("10.244.1.0/24"), Prefix.Parse("fd00:244:1::/64")];

    // The ports as "name=port", the endpoints as addresses, with the value of ready where it is not true; then what may be connected to.
    public static TheoryData<string, string, string, string> Cases => new()
    {
        { "one API server", "https=6443", "10.0.0.5", "10.0.0.5:6443" },
        { "in the order of the slice", "https=6443", "10.0.0.7 10.0.0.5", "10.0.0.7:6443 10.0.0.5:6443" },
        { "IPv6", "https=6443", "fd00::5", "[fd00::5]:6443" },
        { "the port named https of several", "metrics=9090 https=6443", "10.0.0.5", "10.0.0.5:6443" },
        { "the only port, whatever its name", "=443", "10.0.0.5", "10.0.0.5:443" },
        { "none of several ports is named https", "a=1 b=2", "10.0.0.5", "" },
        { "no port", "", "10.0.0.5", "" },
        { "all ports", "https=null", "10.0.0.5", "" },
        { "no such port", "https=65536", "10.0.0.5", "" },
        { "port 0", "https=0", "10.0.0.5", "" },
        { "UDP beside TCP", "https=1/UDP other=6443", "10.0.0.5", "10.0.0.5:6443" },
        { "ready, not ready, unknown", "https=6443", "10.0.0.5:true 10.0.0.6:false 10.0.0.7:null 10.0.0.8:none",
            "10.0.0.5:6443 10.0.0.7:6443 10.0.0.8:6443" },
        { "no endpoints", "https=6443", "", "" },
        { "each once", "https=6443", "10.0.0.5 10.0.0.6 10.0.0.5", "10.0.0.5:6443 10.0.0.6:6443" },
        { "loopback", "https=6443", "127.0.0.1 127.9.9.9 ::1 10.0.0.5", "10.0.0.5:6443" },
        { "loopback in other words", "https=6443", "0.0.0.0 :: ::ffff:127.0.0.1 ::ffff:10.0.0.5", "" },
        { "loopback and this node's pods by way of IPv6", "https=6443",
            "::127.0.0.1 ::10.0.0.5 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b::10.244.1.7 64:ff9b::10.0.0.5", "[64:ff9b::a00:5]:6443" },
        { "link-local", "https=6443", "169.254.169.254 fe80::1", "" },
        { "multicast and broadcast", "https=6443", "224.0.0.1 255.255.255.255 ff02::1", "" },
        { "this node's pods", "https=6443", "10.244.1.7 fd00:244:1::7 10.244.2.7", "10.244.2.7:6443" },
        { "names and nonsense", "https=6443", "api.example 10.0.0.5/24 010.0.0.5 10.0.0 fe80::1%eth0", "" },
        { "sixteen at most", "https=1", string.Join(' ', Enumerable.Range(1, 20).Select(i => $"10.0.0.{i}")),
            string.Join(' ', Enumerable.Range(1, 16).Select(i => $"10.0.0.{i}:1")) },
        { "sixteen that may be used", "https=1", "127.0.0.1 " + string.Join(' ', Enumerable.Range(1, 16).Select(i => $"10.0.0.{i}")),
            string.Join(' ', Enumerable.Range(1, 16).Select(i => $"10.0.0.{i}:1")) },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Addresses_are_taken_from_the_slice(string because, string ports, string endpoints, string expected)
    {
        string json = $$"""{"ports":[{{Each(ports, Port)}}],"endpoints":[{{Each(endpoints, Endpoint)}}]}""";
        Assert.True(expected == Usable(json), $"{because}: {Usable(json)}");
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"ports":null,"endpoints":null}""")]
    [InlineData("""{"ports":[null],"endpoints":[null]}""")]
    [InlineData("""{"ports":[{"port":6443}],"endpoints":[null,{},{"addresses":null},{"addresses":[null,""]}]}""")]
    public void What_is_missing_is_not_there(string json) => Assert.Equal("", Usable(json));

    private static string Usable(string json)
    {
        V1EndpointSlice slice = JsonSerializer.Deserialize(Encoding.UTF8.GetBytes(json), ApiJson.Default.V1EndpointSlice)!;
        return string.Join(' ', ApiServerEndpoints.Usable(ApiServerEndpoints.Ready(slice), OwnPodCidrs));
    }

    private static string Each(string words, Func<string, string> json) =>
        string.Join(',', words.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(json));

    private static string Port(string word)
    {
        string[] parts = word.Split('=', '/');
        string protocol = parts.Length == 3 ? $",\"protocol\":\"{parts[2]}\"" : "";
        return $"{{\"name\":\"{parts[0]}\",\"port\":{parts[1]}{protocol}}}";
    }

    private static string Endpoint(string word)
    {
        string? ready = ((string[])["true", "false", "null", "none"]).FirstOrDefault(r => word.EndsWith(":" + r, StringComparison.Ordinal));
        string address = ready is null ? word : word[..^(ready.Length + 1)];
        string conditions = ready == "none" ? "" : $",\"conditions\":{{\"ready\":{ready ?? "true"}}}";
        return $"{{\"addresses\":[\"{address}\"]{conditions}}}";
    }
}
