namespace HostGw.Platform.Cni;

/// <summary>Who comes before us: container runtimes take the first configuration by name. Pure.</summary>
/// <param name="Other">The file of another plugin that pods get their network from; null: ours is the first.</param>
/// <param name="Problem">What comes before ours and harms it, with the cure; null: nothing.</param>
internal sealed record CniOrder(string? Other, string? Problem)
{
    public const string Usual = "10-hostgw.conflist";
    public const string First = "00-hostgw.conflist";

    /// <param name="own">The name of our file.</param>
    /// <param name="names">All files of the directory.</param>
    /// <param name="read">A file's text; empty where it is gone; null where it may not be read.</param>
    public static CniOrder Of(string own, IEnumerable<string> names, Func<string, byte[]?> read)
    {
        string? problem = null;
        IEnumerable<string> before = names.Where(n => CniNetworks.IsLookedAt(n) && n is not (Usual or First) && string.CompareOrdinal(n, own) < 0);
        foreach (string name in before.Order(StringComparer.Ordinal))
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
        return new(null, problem);
    }
}
