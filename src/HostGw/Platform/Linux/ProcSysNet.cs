using System.Globalization;
using System.Text;
using HostGw.Planning;
using HostGw.Platform.Linux.Rtnetlink;

namespace HostGw.Platform.Linux;

/// <summary>The host's network settings under /proc/sys/net, or wherever they are mounted in a container.</summary>
/// <remarks>https://docs.kernel.org/networking/ip-sysctl.html</remarks>
internal sealed class ProcSysNet(string root)
{
    private const string ForwardIPv4 = "ipv4/ip_forward";
    private const string ForwardIPv4ByDefault = "ipv4/conf/default/forwarding";
    private const string ForwardIPv6 = "ipv6/conf/all/forwarding";
    private const string Cure = "mount the host's /proc/sys/net writable and set procSysNet, or set it on the host";

    /// <summary>Null in a family that this kernel does not have (ipv6.disable=1) or that is not mounted.</summary>
    public ForwardingState ReadForwarding() => new(
        Read(ForwardIPv4) is { } v4 ? v4 != 0 : null,
        Read(ForwardIPv6) is { } v6 ? v6 != 0 : null);

    /// <summary>True also where it cannot be read.</summary>
    public bool NewInterfacesForwardIPv4 => Read(ForwardIPv4ByDefault) != 0;

    /// <exception cref="ProcSysException">The setting cannot be written.</exception>
    public void EnableForwardingIPv4() => Write(ForwardIPv4, 1);

    /// <summary>Turns it on for one interface: packets received there are dropped if it is off, even if the host forwards.</summary>
    /// <exception cref="ProcSysException">The setting cannot be written.</exception>
    public void EnableForwardingIPv4On(string link)
    {
        string file = $"ipv4/conf/{link}/forwarding";
        if (Read(file) == 0)
            Write(file, 1, mayBeGone: true);
    }

    /// <param name="acceptRa">
    /// Written first: when forwarding is turned on, an interface with accept_ra=1 loses the default route it has learnt.
    /// </param>
    /// <exception cref="ProcSysException">A setting cannot be written.</exception>
    public void EnableForwardingIPv6(IReadOnlyList<AcceptRaChange> acceptRa)
    {
        SetAcceptRa(acceptRa);
        Write(ForwardIPv6, 1);
    }

    /// <exception cref="ProcSysException">A setting cannot be written.</exception>
    public void SetAcceptRa(IReadOnlyList<AcceptRaChange> changes)
    {
        foreach ((string link, int value) in changes)
            Write($"ipv6/conf/{link}/accept_ra", value, mayBeGone: true);
    }

    /// <summary>Writes what of the tunnel link's settings is not as it should be; IPv6 only where the kernel has it.</summary>
    /// <exception cref="ProcSysException">A setting cannot be written.</exception>
    public void SetTunnelLink(string link)
    {
        foreach (TunnelSetting setting in TunnelSetting.All)
        {
            string file = $"{setting.Family}/conf/{link}/{setting.Name}";
            if (Read(file) != setting.Value)
                Write(file, setting.Value, mayBeGone: setting.IsIPv6);
        }
    }

    /// <summary>Lets an interface have IPv6 addresses, which conf.default may deny to new ones; only where the kernel has IPv6.</summary>
    /// <exception cref="ProcSysException">A setting cannot be written.</exception>
    public void EnableIPv6(string link)
    {
        string file = $"ipv6/conf/{link}/disable_ipv6";
        if (Read(file) != 0)
            Write(file, 0, mayBeGone: true);
    }

    /// <summary>Best effort: where it cannot be written, pods' IPv6 begins a second or two later.</summary>
    public void TurnDadOff(IReadOnlyList<string> links)
    {
        try
        {
            foreach (string link in links)
                Write($"ipv6/conf/{link}/accept_dad", 0, mayBeGone: true);
        }
        catch (ProcSysException)
        {
            // A mount that is read-only or denied is reported with forwarding.
        }
    }

    /// <summary>Makes room for this many neighbours; lowers no threshold. The files exist only in the initial network namespace.</summary>
    /// <exception cref="ProcSysException">A setting cannot be written.</exception>
    public void RaiseNeighbourThresholds(int peers)
    {
        foreach (string family in (ReadOnlySpan<string>)["ipv4", "ipv6"])
        {
            // The largest first: the three must stay ascending.
            for (int level = 3; level >= 1; level--)
            {
                string file = $"{family}/neigh/default/gc_thresh{level}";
                int wanted = peers << (level - 1);
                if (Read(file) is { } current && current < wanted)
                    Write(file, wanted);
            }
        }
    }

    /// <summary>Of the families that have them in this network namespace.</summary>
    public IEnumerable<NeighbourThresholds> ReadNeighbourThresholds()
    {
        foreach (string family in (string[])["ipv4", "ipv6"])
        {
            string file = $"{family}/neigh/default/gc_thresh";
            if (Read($"{file}1") is { } first && Read($"{file}2") is { } second && Read($"{file}3") is { } third)
                yield return new(family, first, second, third);
        }
    }

    /// <summary>The number in a file, by its path under /proc/sys/net; null: there is no such file, or no number in it.</summary>
    public int? Read(string file)
    {
        try
        {
            ReadOnlySpan<char> text = File.ReadAllText(Path.Combine(root, file)).AsSpan().Trim();
            return int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value) ? value : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // the interface is gone, or the family or the mount is missing
        }
    }

    /// <param name="mayBeGone">The file of an interface that may be gone meanwhile: then nothing is written.</param>
    private void Write(string file, int value, bool mayBeGone = false)
    {
        string path = Path.Combine(root, file);
        try
        {
            // Never creates the file: if the mount is missing, the setting must not seem to be written.
            using FileStream stream = new(path, FileMode.Open, FileAccess.Write);
            stream.Write(Encoding.ASCII.GetBytes(value.ToString(CultureInfo.InvariantCulture)));
        }
        catch (Exception e) when (mayBeGone && (e is FileNotFoundException or DirectoryNotFoundException))
        {
            // The interface is gone.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ProcSysException($"write {value} to {path}: {e.Message}; {Cure}", e);
        }
    }
}

/// <summary>A network setting of the host could not be written.</summary>
internal sealed class ProcSysException(string message, Exception inner) : HostNetworkException(message, inner)
{
    public override bool IsNotFound => false;
}
