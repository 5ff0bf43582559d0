using System.Globalization;
using HostGw.Planning;

namespace HostGw.Tests.Planning;

/// <summary>A host while its description is being read; interface numbers follow the order of the lines, from 2 on (1 is lo).</summary>
internal sealed class HostDraft
{
    private readonly List<HostInterface> _interfaces = [new(1, "lo", IsUp: true, IsLoopback: true)];
    private readonly List<HostAddress> _addresses =
    [
        new(Ip.Parse("127.0.0.1"), Prefix.Parse("127.0.0.0/8"), 1), new(Ip.Parse("::1"), Prefix.Parse("::1/128"), 1),
    ];
    private readonly List<HostRoute> _routes = [];
    private readonly List<ProtectedAddress> _protected = [];

    public void Read(string[] words)
    {
        if (words.Length > 1 && words[1] is "via" or "dev")
            ReadRoute(words);
        else if (words[0] == "resolver")
            _protected.Add(new(Ip.Parse(words[1]), ProtectedRole.Resolver));
        else if (words[0] == "api")
            _protected.Add(new(Ip.Parse(words[1]), ProtectedRole.ApiServer));
        else
            ReadInterface(words);
    }

    public HostState Finish() => new()
    {
        Interfaces = [.. _interfaces],
        Addresses = [.. _addresses],
        Routes = [.. _routes.OrderBy(r => r.Key)],
        Protected = [.. _protected],
    };

    private void ReadInterface(string[] words)
    {
        int index = words[0] == "lo" ? 1 : _interfaces.Count + 1;
        if (index > 1)
            _interfaces.Add(new(index, words[0], IsUp: !words.Contains("down"), IsLoopback: false) { Mtu = Mtu(words) });
        foreach (string word in words[1..])
        {
            // "10.8.0.2>10.8.0.1/32": our end of a point-to-point link, and the other.
            string[] ends = word.Split('>');
            if (Prefix.TryParse(ends[^1], out Prefix connected))
                _addresses.Add(new(ends.Length > 1 ? Ip.Parse(ends[0]) : connected.Address, connected.Aligned, index));
        }
    }

    private static int Mtu(string[] words) =>
        words.FirstOrDefault(w => w.StartsWith("mtu=", StringComparison.Ordinal)) is { } given ? int.Parse(given["mtu=".Length..], CultureInfo.InvariantCulture) : 1500;

    private void ReadRoute(string[] words)
    {
        string After(string word, string otherwise) => words.Contains(word) ? words[Array.IndexOf(words, word) + 1] : otherwise;
        Ip nextHop = words.Contains("via") ? Ip.Parse(After("via", "")) : default;
        bool isDefault = words[0] is "default" or "default6";
        byte protocol = byte.Parse(After("proto", "3"), CultureInfo.InvariantCulture);
        _routes.Add(new()
        {
            Destination = Prefix.Parse(words[0] switch { "default" => "0.0.0.0/0", "default6" => "::/0", _ => words[0] }),
            NextHop = nextHop,
            Interface = _interfaces.Single(i => i.Name == After("dev", "")).Index,
            Metric = uint.Parse(After("metric", "0"), CultureInfo.InvariantCulture),
            NextHopCount = 1,
            IsUnicast = true,
            Protocol = protocol,
            IsOurs = protocol == 157,
        });
        if (isDefault && !nextHop.IsNone)
            _protected.Add(new(nextHop, ProtectedRole.Gateway));
    }
}
