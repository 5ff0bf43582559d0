namespace HostGw.Lab.Network;

/// <summary>The guards of probes and tunnel in a node's nf_tables.</summary>
public static class GuardTable
{
    /// <summary>The chain that names the uplinks.</summary>
    public const string Uplinks = "port";

    /// <summary>
    /// How many messages write the rules of a chain, as they are now, in the place of others: begin and end of the transaction, the
    /// deletion, and one for each rule.
    /// </summary>
    public static int WritesOf(NetworkNamespace network, string chain) => 3 + network
        .Exec("nft", "list", "chain", "inet", "hostgw-guard", chain)
        .Split('\n').Count(line => line.Contains(" comment ", StringComparison.Ordinal));
}
