using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Windows;

namespace HostGw.Windows.Tests.OnWindows;

[SupportedOSPlatform("windows")]
public sealed class ForwardingTests(Verification run) : Asking(run)
{
    [Fact]
    public Task It_is_turned_on_and_off_again() =>
        AskAsync(Question.Forwarding, () => $"IPv4 of {Turn(ipv6: false)}; IPv6 of {Turn(ipv6: true)}");

    private string Turn(bool ipv6)
    {
        HostInterface loopback = NotForwarding(ipv6);
        Made.Forwarding(loopback.Luid, ipv6);
        Assert.True(Forwards(ipv6), "Windows answered without an error, and it does not forward");
        string witness = Machine.PowerShell(
            $"(Get-NetIPInterface -InterfaceIndex {loopback.Index} -AddressFamily {(ipv6 ? "IPv6" : "IPv4")}).Forwarding");
        Made.Remove();
        Assert.False(Forwards(ipv6), "it still forwards");
        return loopback.Name + witness;
    }

    /// <summary>The loopback interface, unless it forwards already.</summary>
    internal static HostInterface NotForwarding(bool ipv6) => !Forwards(ipv6)
        ? Machine.Loopback
        : throw new NotAskedException("the loopback interface forwards already");

    private static bool Forwards(bool ipv6) => ipv6 ? Machine.Loopback.ForwardsIPv6 : Machine.Loopback.ForwardsIPv4;
}
