using FsCheck;
using FsCheck.Fluent;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Net;

public class PrefixPropertyTests
{
    // Few bits in play, so that prefixes meet.
    private static Gen<Prefix> AnyPrefix =>
        from v6 in Gen.Elements(false, true)
        from bits in Gen.Choose(0, 255)
        from length in Gen.Frequency((5, Gen.Choose(0, 8)), (1, Gen.Choose(0, 128)))
        let ip = v6 ? Ip.V6((UInt128)(uint)bits << 120) : Ip.V4((uint)bits << 24)
        select new Prefix(ip, (byte)Math.Min(length, ip.Bits)).Aligned;

    private static Gen<Ip> AnyIp => Gen.OneOf(
        Gen.Choose(int.MinValue, int.MaxValue).Select(i => Ip.V4((uint)i)),
        from high in Gen.Choose(int.MinValue, int.MaxValue)
        from low in Gen.Choose(int.MinValue, int.MaxValue)
        from shift in Gen.Choose(0, 127)
        select Ip.V6((((UInt128)(uint)high << 96) | (uint)low) >> shift),
        Gen.Choose(0, 3).Select(i => Ip.V6((UInt128)0xFFFF0A000000 + (uint)i)));

    [Fact]
    public void The_forest_answers_like_a_search_through_all() => Always.Holds(
        from prefixes in AnyPrefix.ListOf() from probe in AnyPrefix select (prefixes, probe),
        c =>
        {
            PrefixForest forest = new([.. c.prefixes], out int[] indexes);
            Prefix[] all = [.. c.prefixes.Distinct().Order()];
            Prefix[] around = [.. all.Where(p => p.Contains(c.probe)).OrderByDescending(p => p.Length)];

            Assert.Equal(all, Enumerable.Range(0, forest.Count).Select(i => forest[i]));
            Assert.Equal(around.Cast<Prefix?>().FirstOrDefault(), At(forest, forest.Covering(c.probe)));
            Assert.Equal(c.prefixes.Select(p => Array.IndexOf(all, p)), indexes);
            Assert.Equal(all.Any(c.probe.Overlaps), forest.Overlapping(c.probe) >= 0);
            Assert.True(At(forest, forest.Overlapping(c.probe)) is not { } hit || hit.Overlaps(c.probe));
            Assert.Equal(all.Where(p => !all.Any(q => q != p && q.Contains(p))), forest.Roots());
            for (int k = 0; k < forest.Count; k++)
                Assert.Equal(all.Where(p => p != all[k] && p.Contains(all[k])).Cast<Prefix?>().MaxBy(p => p!.Value.Length),
                    At(forest, forest.Parent(k)));
        },
        count: 2000);

    [Fact]
    public void Addresses_read_back_as_they_were_written_and_as_the_framework_reads_them() => Always.Holds(AnyIp, ip =>
    {
        string text = ip.ToString();
        Assert.Equal(ip, Ip.Parse(text));
        Assert.Equal(IPAddress.Parse(text), ip.ToIPAddress());
        Span<byte> bytes = stackalloc byte[16];
        Assert.Equal(ip, Ip.FromBytes(bytes[..ip.WriteBytes(bytes)]));
        Assert.Equal(ip, Ip.From(ip.ToIPAddress()));
    });

    [Fact]
    public void Whatever_is_accepted_the_framework_accepts_and_reads_alike() => Always.Holds(
        Gen.ArrayOf(Gen.Elements("0", "1", "10", "255", "256", "a", "ff", "fd00", ".", ".", ":", ":", ":", "::", "%", " ", "-", "\0", "x",
            "/"))
            .Select(string.Concat),
        text =>
        {
            if (!Ip.TryParse(text, out Ip ip))
                return;
            Assert.True(IPAddress.TryParse(text, out IPAddress? framework), text);
            Assert.Equal(framework, ip.ToIPAddress());
        },
        count: 20_000);

    [Fact]
    public void Prefixes_read_back_as_they_were_written() => Always.Holds(
        from ip in AnyIp from length in Gen.Choose(0, ip.Bits) select new Prefix(ip, (byte)length),
        prefix =>
        {
            Assert.Equal(prefix, Prefix.Parse(prefix.ToString()));
            Assert.True(prefix.Aligned.IsAligned);
            Assert.True(prefix.Contains(prefix.Aligned.Address) && prefix.Contains(prefix.Last) && prefix.Contains(prefix.Address));
            Assert.Equal(prefix.IsAligned, prefix == prefix.Aligned);
            IPNetwork framework = new(prefix.Aligned.Address.ToIPAddress(), prefix.Length);
            Assert.Equal(framework.ToString(), prefix.Aligned.ToString());
        });

    [Fact]
    public void Containment_agrees_with_the_framework() => Always.Holds(
        from prefix in AnyPrefix from ip in Gen.OneOf(AnyIp, AnyPrefix.Select(p => p.Last)) select (prefix, ip),
        c =>
        {
            // The framework takes ::ffff:10.0.0.1 for 10.0.0.1.
            if (!c.ip.IsIPv4Mapped && !c.prefix.Address.IsIPv4Mapped)
                Assert.Equal(new IPNetwork(c.prefix.Address.ToIPAddress(), c.prefix.Length).Contains(c.ip.ToIPAddress()),
                    c.prefix.Contains(c.ip));
        },
        count: 3000);

    private static Prefix? At(PrefixForest forest, int index) => index < 0 ? null : forest[index];
}
