using System.Runtime.Versioning;
using HostGw.Platform;
using HostGw.Probes;
using Microsoft.Extensions.Logging.Abstractions;
using Ip = HostGw.Net.Ip;

namespace HostGw.Lab.Tests.Platform;

[SupportedOSPlatform("linux")]
public sealed class EpollProbeSocketsTests : IDisposable
{
    private readonly LinuxNamespace _host = new();
    private readonly EpollProbeSockets _sockets = new(9158, static _ => { }, TimeProvider.System, NullLogger.Instance);

    public EpollProbeSocketsTests() => _host.Network.Run(_sockets.Open);

    public void Dispose()
    {
        _sockets.Dispose();
        _host.Dispose();
    }

    // The kernel says that nobody has the address, of each question in the order in which they were asked.
    [Theory]
    [InlineData("192.0.2.7")]
    [InlineData("2001:db8::7")]
    public void That_a_node_is_absent_is_said_of_the_question_in_its_pod_network_only(string absent)
    {
        Ask(ProbePaths.Node, absent);
        Ask(ProbePaths.Echo, absent);
        Assert.Equal(ProbePaths.Echo, FirstUnreachable());
    }

    private void Ask(ProbePaths path, string destination)
    {
        byte[] datagram = new byte[ProbeDatagram.Size];
        datagram[0] = (byte)path;
        Assert.Equal(SendResult.Sent, _sockets.Ask(datagram, new(1, path, 3, default, Ip.Parse(destination), default)));
    }

    private ProbePaths FirstUnreachable()
    {
        byte[] quoted = new byte[ProbeDatagram.Size];
        _sockets.Wait(Expect.Patience);
        Assert.Contains(Enumerable.Range(0, _sockets.Count), number => _sockets.TryReceiveError(number, quoted, out _));
        return (ProbePaths)quoted[0];
    }
}
