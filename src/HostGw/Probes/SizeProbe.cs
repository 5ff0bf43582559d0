using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Platform.Linux;
using HostGw.Platform.Linux.Netlink;

namespace HostGw.Probes;

/// <summary>Whom to ask with two datagrams, a short one and one of the MTU of the interface towards it.</summary>
/// <param name="Interface">Its name.</param>
internal readonly record struct SizeQuestion(ClusterNode Node, Prefix PodCidr, Ip Source, string Interface, int Mtu)
{
    // Of IP and UDP.
    private const int HeadersIPv4 = 28, HeadersIPv6 = 48;

    // A kernel may have an interface with a larger MTU than a packet can be.
    private const int LargestPacket = 65_535;

    public Ip Destination => ProbeAddress.Of(PodCidr, Node.IsWindows);

    /// <summary>The bytes of the long datagram.</summary>
    public int Length => Math.Min(Mtu, LargestPacket) - (PodCidr.IsIPv4 ? HeadersIPv4 : HeadersIPv6);

    /// <summary>The peers that this host has routes to, in the families in which its own probe address is there.</summary>
    public static IReadOnlyList<SizeQuestion> Of(Plan plan, HostState host)
    {
        var probes = ProbePlan.Of(plan, [.. host.ProbeRoutes.Where(r => r.IsPlain).Select(r => r.Destination.Address)]);
        List<SizeQuestion> questions = [];
        foreach (ProbeTarget target in probes.Targets)
        {
            // Beside a tunnel's route there is one to the probe address alone.
            ReadOnlySpan<PodRoute> routes = plan.RoutesTo(Prefix.Host(target.PodAddress));
            routes = routes.IsEmpty ? plan.RoutesTo(target.PodCidr.Aligned) : routes;
            ProbeSource source = target.PodCidr.IsIPv4 ? probes.IPv4 : probes.IPv6;
            bool isAsked = target is { IsOnLink: true, HasNativePath: true } && source.IsHeld && !routes.IsEmpty;
            if (isAsked && host.Interface(routes[0].Interface) is { } link)
                questions.Add(new(target.Node, target.PodCidr, source.Pod, link.Name, link.Mtu));
        }
        return questions;
    }
}

/// <summary>
/// Asks peers' agents with datagrams of two sizes that no router may cut: where only the short ones are answered, something on the way
/// drops the long ones. An agent that answers to no long question at all, for it is an older one, answers to neither.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class SizeProbe : IDisposable
{
    private const int ShortLength = 2 * ProbeDatagram.Size;
    private const int Attempts = 3;

    // So many are sent in one go: more could overrun a queue, and the loss would be taken for the network's.
    private const int Burst = 32;
    private static readonly TimeSpan BetweenBursts = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly IReadOnlyList<SizeQuestion> _questions;
    private readonly int _port;
    private readonly ProbeNonce[] _nonces;
    private readonly bool[] _answered;
    private readonly byte[] _bytes;
    private readonly DatagramSocket? _v4, _v6;
    private int _missing;

    private SizeProbe(IReadOnlyList<SizeQuestion> questions, int port)
    {
        (_questions, _port, _missing) = (questions, port, 2 * questions.Count);
        // First all short ones, then all long ones.
        (_nonces, _answered) = (new ProbeNonce[_missing], new bool[_missing]);
        RandomNumberGenerator.Fill(MemoryMarshal.AsBytes(_nonces.AsSpan()));
        _bytes = new byte[Math.Max(ShortLength, questions.Max(q => q.Length))];
        _v4 = questions.Any(q => q.PodCidr.IsIPv4) ? DatagramSocket.Uncut(isIPv4: true) : null;
        _v6 = questions.Any(q => q.PodCidr.IsIPv6) ? DatagramSocket.Uncut(isIPv4: false) : null;
    }

    /// <param name="port">The UDP port of agents.</param>
    public static async Task<IReadOnlyList<SizeAnswer>> AskAsync(
        IReadOnlyList<SizeQuestion> questions, int port, CancellationToken cancellationToken)
    {
        if (questions.Count == 0)
            return [];
        using SizeProbe probe = new(questions, port);
        for (int attempt = 0; attempt < Attempts && probe._missing > 0; attempt++)
            await probe.AskAsync(cancellationToken);
        return
        [
            .. questions.Select((q, i) => new SizeAnswer(
                q.Node, q.PodCidr, q.Interface, q.Mtu, probe._answered[i], probe._answered[questions.Count + i])),
        ];
    }

    public void Dispose()
    {
        _v4?.Dispose();
        _v6?.Dispose();
    }

    private async Task AskAsync(CancellationToken cancellationToken)
    {
        int sent = 0;
        for (int number = 0; number < _answered.Length; number++)
        {
            if (_answered[number])
                continue;
            while (Send(number) == Errno.EAGAIN)
                await Task.Delay(BetweenBursts, cancellationToken);
            if (++sent % Burst == 0)
            {
                await Task.Delay(BetweenBursts, cancellationToken);
                Receive();
            }
        }
        for (TimeSpan waited = default; waited < Patience && _missing > 0; waited += BetweenBursts)
        {
            await Task.Delay(BetweenBursts, cancellationToken);
            Receive();
        }
    }

    // What cannot be sent, but for a full queue, is not answered.
    private int Send(int number)
    {
        SizeQuestion question = _questions[number % _questions.Count];
        new ProbeDatagram(ProbeKind.LongQuestion, ProbeFlags.None, (uint)number, _nonces[number]).Write(_bytes);
        Span<byte> datagram = _bytes.AsSpan(0, number < _questions.Count ? ShortLength : question.Length);
        return (question.PodCidr.IsIPv4 ? _v4 : _v6)!.Send(datagram, question.Source, question.Destination, _port);
    }

    private void Receive()
    {
        Span<byte> bytes = stackalloc byte[ProbeDatagram.Size + 1];
        foreach (DatagramSocket? socket in (ReadOnlySpan<DatagramSocket?>)[_v4, _v6])
        {
            while (socket is not null && socket.TryReceive(bytes, out ReceivedDatagram received))
            {
                if (received.Port == _port && ProbeDatagram.TryRead(bytes[..received.Length], out ProbeDatagram answer, out _))
                    Take(answer, received.From);
            }
        }
    }

    private void Take(in ProbeDatagram answer, Ip from)
    {
        bool isNew = answer.Kind == ProbeKind.Answer && answer.Peer < _answered.Length && !_answered[answer.Peer] &&
            answer.Nonce == _nonces[answer.Peer] && from == _questions[(int)answer.Peer % _questions.Count].Destination;
        if (!isNew)
            return;
        _answered[answer.Peer] = true;
        _missing--;
    }
}
