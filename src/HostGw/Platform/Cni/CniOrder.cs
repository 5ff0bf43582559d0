namespace HostGw.Platform.Cni;

/// <summary>Whose configuration it is to be: container runtimes take the first by name. Pure.</summary>
/// <param name="Other">The file of another plugin that pods get their network from; null: it is ours to give.</param>
/// <param name="Problem">What comes before ours and harms it, with the cure; null: nothing.</param>
internal sealed record CniOrder(string? Other, string? Problem)
{
    public const string Usual = "10-hostgw.conflist";
    public const string First = "00-hostgw.conflist";

    /// <param name="own">The name of our file.</param>
    /// <param name="stands">It is in use: what comes later changes nothing.</param>
    /// <param name="names">All files of the directory.</param>
    /// <param name="read">A file's text; empty where it is gone; null where it may not be read.</param>
    public static CniOrder Of(string own, bool stands, IReadOnlyList<string> names, Func<string, byte[]?> read)
    {
        string? problem = null;
        string[] others = [.. names.Where(n => CniNetworks.IsLookedAt(n) && n is not (Usual or First)).Order(StringComparer.Ordinal)];
        foreach (string name in others.Where(n => string.CompareOrdinal(n, own) < 0))
        {
            // What we may not read somebody put there on purpose.
            if (read(name) is not { } text)
                return new(name, null);
            switch (CniNetworks.Judge(name, text))
            {
                case CniNetwork.Network:
                    return new(name, null);
                case CniNetwork.LoopbackOnly:
                    problem ??= $"{name} comes before {own} and holds only loopback: a runtime takes it for the pods' network; rename it to 99-{name.TrimStart("0123456789-".ToCharArray())}";
                    break;
                default:
                    problem ??= $"{name} comes before {own} and is no CNI configuration: containerd then loads none at all; remove it";
                    break;
            }
        }
        // Pods already get their network from it, and ours would come before it without anybody having asked.
        string? later = stands || own == First ? null
            : others.FirstOrDefault(n => string.CompareOrdinal(n, own) > 0 && IsOfClusters(n) && (read(n) is not { } text || CniNetworks.Judge(n, text) == CniNetwork.Network));
        return new(later, problem);
    }

    // 10-kindnet, 10-kuberouter, 10-weave; not what runtimes bring for their own use: 87-podman, 100-crio, 11-crio, nerdctl.
    private static bool IsOfClusters(string name) =>
        name is [>= '0' and < '5', >= '0' and <= '9', '-', ..] && !name.Contains("crio", StringComparison.Ordinal);
}
