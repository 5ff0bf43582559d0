using System.Collections.Immutable;
using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Nftables;
using HostGw.Platform.Linux.Rtnetlink;

namespace HostGw.Platform.Linux;

/// <summary>Reads and changes the link hostgw0 and its addresses.</summary>
[SupportedOSPlatform("linux")]
internal sealed class LinuxTunnel(NetlinkSocket socket, ProcSysNet sysctl)
{
    private const string MakeLink = $"make the link {TunnelPlan.LinkName}";

    // Of a new link; routes name their own.
    private const int UsualMtu = 1500;

    private readonly NetlinkWriter _request = new();

    /// <summary>Asks nothing where none of the interfaces has that name or a mark of HostGw's.</summary>
    /// <returns>Null: there is none.</returns>
    public TunnelLink? Read(ImmutableArray<HostInterface> interfaces) =>
        (Find(interfaces, static i => i.Name == TunnelPlan.LinkName) ?? Find(interfaces, static i => i.IsTunnel)) is { } index
            ? Read(index) : null;

    /// <summary>Before everything else: deletes HostGw's links under other names, which no guard knows by name.</summary>
    /// <returns>What was done, or would be, in words; empty: nothing.</returns>
    public string RemoveStrays(TunnelChanges changes, bool writes, Attempts attempts)
    {
        List<string> done = [];
        foreach (HostInterface stray in changes.Strays)
        {
            if (attempts.Try(HostPart.Tunnel, $"delete the link {stray.Name}", writes, () => Delete(stray.Index)))
                done.Add(TunnelChanges.StrayText(stray));
        }
        return string.Join("; ", done);
    }

    /// <summary>Takes it down, and the routes over it with it: its guards are not installed.</summary>
    public void Close(TunnelLink link, Attempts attempts)
    {
        attempts.Try(HostPart.Tunnel, $"take the link {link.Name} down", link.IsUp, () => Execute(
            "take it down", s => TunnelMessages.Turn(_request, link.Index, up: false, s), UnlessGone));
        attempts.Fail(HostPart.Tunnel, $"keep the link {link.Name} up", new UnguardedException());
    }

    /// <summary>Before the routes: makes the link, and gives it its addresses.</summary>
    /// <returns>What was done, or would be, in words; empty: nothing.</returns>
    public string Make(TunnelChanges changes, bool writes, Attempts attempts)
    {
        int index = changes.Link?.Index ?? 0;
        if (writes && !attempts.Try(HostPart.Tunnel, MakeLink, changes.Make is not null, () => index = Make(changes.Make!, changes)))
            return ""; // an IPv6 address of a link that is down would stay tentative
        List<string> done = changes.Make is null ? [] : [changes.Reason];
        foreach (Ip source in changes.AddSources)
        {
            bool isDone = attempts.Try(
                HostPart.Tunnel, $"add {source} to {TunnelPlan.LinkName}", writes, () => AddSource(index, source));
            if (isDone)
                done.Add(TunnelChanges.MissingText(source));
        }
        return string.Join("; ", done);
    }

    /// <summary>After the routes: removes what is not needed any more.</summary>
    /// <inheritdoc cref="Make(TunnelChanges, bool, Attempts)"/>
    public string Remove(TunnelChanges changes, bool writes, Attempts attempts)
    {
        List<string> done = [];
        foreach (HostAddress address in changes.DeleteSources)
        {
            bool isDone = attempts.Try(
                HostPart.Tunnel, $"delete {address.Address} from {TunnelPlan.LinkName}", writes, () => DeleteSource(address));
            if (isDone)
                done.Add(TunnelChanges.SurplusText(address));
        }
        if (changes is { Make: null, Delete: { } link } &&
            attempts.Try(HostPart.Tunnel, $"delete the link {link.Name}", writes, () => Delete(link.Index)))
            done.Add(TunnelChanges.NotNeeded);
        return string.Join("; ", done);
    }

    private static int? Find(ImmutableArray<HostInterface> interfaces, Func<HostInterface, bool> isIt)
    {
        foreach (HostInterface candidate in interfaces)
        {
            if (isIt(candidate))
                return candidate.Index;
        }
        return null;
    }

    // Everything comes before the link is up: then it takes packets, and the kernel opens the UDP port.
    private int Make(TunnelPlan wanted, TunnelChanges changes)
    {
        if (changes.Delete is { } old)
            Delete(old.Index);
        int index = changes.Link?.Index ?? Create(wanted, changes.Index);
        Execute("set its alias", s => TunnelMessages.Mark(_request, index, s));
        if (wanted.HasIPv6)
            EnableIPv6(index, changes.Link);
        Execute(
            "set its addrgenmode", s => TunnelMessages.SetAddrGenMode(_request, index, s),
            e => e.Errno == Errno.EAFNOSUPPORT ? null : e);
        sysctl.SetTunnelLink(TunnelPlan.LinkName);
        FilterVnis(index, wanted, changes.Link?.Vnis ?? []);
        Execute(
            "bring it up", s => TunnelMessages.Turn(_request, index, up: true, s),
            e => e.Errno == Errno.EADDRINUSE ? new(e.Request, e.Errno, PortTaken(wanted.Port)) : e);
        return index;
    }

    private int Create(TunnelPlan wanted, int wantedIndex)
    {
        Execute(
            "create it", s => TunnelMessages.Create(_request, (TunnelPlan.LinkName, wantedIndex), wanted.Port, s),
            e => e.Errno == Errno.EEXIST ? new(e.Request, e.Errno, PortTaken(wanted.Port)) : e);
        _request.Clear();
        TunnelMessages.Ask(_request, TunnelPlan.LinkName, socket.NextSequence());
        int index = 0;
        socket.Dump("look it up", _request, static () => { }, (_, payload) =>
        {
            if (TunnelMessages.TryDecodeLink(payload, out TunnelLink? link))
                index = link.Index;
        });
        return index;
    }

    // Where it comes back to a link that is up, the kernel gives that an address of its own.
    private void EnableIPv6(int index, TunnelLink? present)
    {
        if (present is { HasIPv6: false })
        {
            Execute("take it down", s => TunnelMessages.Turn(_request, index, up: false, s));
            Execute("set its MTU", s => TunnelMessages.SetMtu(_request, index, UsualMtu, s));
        }
        sysctl.EnableIPv6(TunnelPlan.LinkName);
    }

    private void FilterVnis(int index, TunnelPlan wanted, ImmutableArray<uint> present)
    {
        if (!present.Contains(wanted.Vni))
        {
            // A kernel before 5.18 ignored the attribute for it, and does not know this message: the guards match the VNI.
            Execute(
                $"let VNI {wanted.Vni} in", s => TunnelMessages.AddVni(_request, index, wanted.Vni, s),
                e => e.Errno == Errno.EOPNOTSUPP ? null
                    : e.Errno == Errno.EEXIST ? new(e.Request, e.Errno, PortTaken(wanted.Port)) : e);
        }
        foreach (uint other in present.Where(v => v != wanted.Vni))
            Execute($"let VNI {other} in no more", s => TunnelMessages.DeleteVni(_request, index, other, s), UnlessGone);
    }

    private void AddSource(int index, Ip source) => Execute(
        "add it", s => TunnelMessages.AddAddress(_request, index, source, s), e => e.Errno == Errno.EEXIST ? null : e);

    private void DeleteSource(HostAddress address) =>
        Execute("delete it", s => TunnelMessages.DeleteAddress(_request, address, s), UnlessGone);

    private void Delete(int index) => Execute("delete it", s => TunnelMessages.Delete(_request, index, s), UnlessGone);

    private TunnelLink? Read(int index)
    {
        TunnelLink? link = null;
        _request.Clear();
        TunnelMessages.Ask(_request, index, socket.NextSequence());
        try
        {
            socket.Dump($"read the link {TunnelPlan.LinkName}", _request, static () => { }, (_, payload) =>
            {
                if (TunnelMessages.TryDecodeLink(payload, out TunnelLink? read))
                    link = read;
            });
            return link is { FiltersVnis: true } ? link with { Vnis = ReadVnis(index) } : link;
        }
        catch (NetlinkException e) when (e.Errno == Errno.ENODEV)
        {
            return null; // deleted since the interfaces were listed
        }
    }

    private ImmutableArray<uint> ReadVnis(int index)
    {
        List<uint> vnis = [];
        _request.Clear();
        TunnelMessages.DumpVnis(_request, index, socket.NextSequence());
        socket.Dump($"list the VNIs of {TunnelPlan.LinkName}", _request, vnis.Clear, (_, payload) => TunnelMessages.AddVnis(payload, vnis));
        return [.. vnis];
    }

    private void Execute(string what, Action<uint> encode, Func<NetlinkException, NetlinkException?>? judge = null)
    {
        _request.Clear();
        encode(socket.NextSequence());
        NetlinkException? refusal = null;
        socket.Execute(what, _request, (_, error) => refusal = error);
        if (refusal is not null && (judge is null ? refusal : judge(refusal)) is { } failure)
            throw failure;
    }

    private static NetlinkException? UnlessGone(NetlinkException refusal) =>
        refusal.IsNotFound || refusal.Errno is Errno.ENODEV or Errno.EADDRNOTAVAIL ? null : refusal;

    private static string PortTaken(int port) =>
        $"UDP port {port} is used by another program, named by `ss -ulnp`, or by another link, named by `ip -d link show type vxlan` " +
        "(here, or in another network namespace to which it was moved): stop it, or set tunnel.port to another port, the same on all nodes";
}

/// <summary>The link has no guards, and is down.</summary>
internal sealed class UnguardedException() : HostNetworkException(
    $"without its guards (nftables table {GuardRuleset.TableName}) what comes out of it would reach this host. It is down, and peers " +
    "that are reached through it are cut off, until the guards are installed again")
{
    public override bool IsNotFound => false;
}
