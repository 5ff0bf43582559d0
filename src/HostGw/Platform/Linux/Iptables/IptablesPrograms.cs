namespace HostGw.Platform.Linux.Iptables;

/// <summary>iptables-save and iptables-restore of one flavour, for both families.</summary>
internal sealed class IptablesPrograms(HostProgram program, IptablesFlavour flavour)
{
    // Seconds to wait for /run/xtables.lock, as long as kube-proxy does: routes wait meanwhile. iptables-nft has no lock and takes the option all the same.
    private const string LockSeconds = "5";

    public IptablesFlavour Flavour => flavour;

    public string Name { get; } = flavour == IptablesFlavour.Nft ? "iptables-nft" : "iptables-legacy";

    /// <summary>How many times something was changed.</summary>
    public long Writes { get; private set; }

    public bool AreInstalled(bool ipv4) => program.Find(ProgramName(ipv4, "save")) is not null && program.Find(ProgramName(ipv4, "restore")) is not null;

    /// <summary>Reads a table into <paramref name="table"/>. Legacy makes the table, and the kernel loads its module, where it was not.</summary>
    /// <exception cref="IptablesException">It could not be read.</exception>
    public SavedTable Read(bool ipv4, string name, SavedTable table)
    {
        Run(ipv4, "save", ["-t", name], "", table.Read);
        return table.IsComplete ? table : throw new IptablesException(
            $"read table {name} with {ProgramName(ipv4, "save")}: it holds rules that iptables cannot show; remove those made with nft in it, or set nat.backend to nftables");
    }

    /// <summary>One transaction: all of it is done or nothing.</summary>
    /// <exception cref="IptablesException">It was refused.</exception>
    public void Restore(bool ipv4, string text)
    {
        Writes++;
        Run(ipv4, "restore", ["--noflush", "--wait", LockSeconds], text, static _ => { });
    }

    private void Run(bool ipv4, string action, IReadOnlyList<string> arguments, string input, Action<string> onLine)
    {
        string name = ProgramName(ipv4, action);
        string path = program.Find(name) ?? throw new IptablesException(
            $"find the program {name}: install iptables (the package brings both flavours on most distributions), or do without: nat.backend nftables or none, forwardAccept false");
        try
        {
            program.Run(path, arguments, input, onLine);
        }
        catch (IptablesException e) when (flavour == IptablesFlavour.Legacy)
        {
            throw new IptablesException($"{e.Message}; iptables-legacy needs the capabilities NET_ADMIN and NET_RAW, a writable /run/xtables.lock and the kernel's ip_tables modules", e);
        }
    }

    private string ProgramName(bool ipv4, string action) => $"{(ipv4 ? "iptables" : "ip6tables")}-{(flavour == IptablesFlavour.Nft ? "nft" : "legacy")}-{action}";
}
