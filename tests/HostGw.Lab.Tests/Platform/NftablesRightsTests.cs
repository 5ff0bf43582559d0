using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Lab.Tests.Platform;

[Collection("nftables")]
[SupportedOSPlatform("linux")]
public sealed partial class NftablesRightsTests
{
    private const string Advice = "Operation not permitted (this needs the capability NET_ADMIN; or set nat.backend: none)";

    [Fact]
    public void Without_the_capability_the_error_names_it()
    {
        (string reading, string writing) = WithoutCapabilities(() =>
        {
            using NftablesNat nat = new();
            return (Assert.Throws<NetlinkException>(() => nat.Read()).Message,
                Assert.Throws<NetlinkException>(() => nat.ApplyBefore(NatChange.Between(NftablesPlans.DualStack, null))).Message);
        });

        Assert.Equal($"read the nf_tables generation: {Advice}", reading);
        Assert.Equal($"change nf_tables: {Advice}", writing);
    }

    // Capabilities belong to a thread, and this one ends with the test.
    private static T WithoutCapabilities<T>(Func<T> function)
    {
        T result = default!;
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                Assert.Equal(0, capset([0x20080522, 0], new uint[6])); // _LINUX_CAPABILITY_VERSION_3, this thread; none of any set
                result = function();
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        return failure is null ? result : throw new InvalidOperationException("the thread without capabilities failed", failure);
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int capset(ReadOnlySpan<uint> header, ReadOnlySpan<uint> data);
}
