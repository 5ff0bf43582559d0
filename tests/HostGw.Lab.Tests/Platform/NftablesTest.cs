using System.Runtime.Versioning;
using System.Text.RegularExpressions;
using HostGw.Lab.Network;
using HostGw.Planning;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Lab.Tests.Platform;

/// <summary>A test on this process's own nf_tables, which it leaves empty.</summary>
[SupportedOSPlatform("linux")]
public abstract partial class NftablesTest : IDisposable
{
    private protected NftablesNat Nat { get; } = new();

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        Nat.Dispose();
        Run("nft flush ruleset");
    }

    private protected static string Run(string command) => Command.Run("sh", "-c", command);

    // nft breaks long lists of elements and indents with tabs.
    private protected static string List(string what) =>
        ElementBreak().Replace(Run($"nft list {what}"), ", ").Replace("\t", "    ", StringComparison.Ordinal);

    private protected static string RuleHandles() => string.Join(' ', Run("nft -a list chain inet hostgw postrouting").Split('\n')
        .Where(l => l.Contains("masquerade", StringComparison.Ordinal)).Select(l => l.Split(' ')[^1]));

    private protected NatChange Difference(NatPlan? plan) => NatChange.Between(plan, Nat.Read());

    private protected NatChange Reach(NatPlan? plan)
    {
        NatChange change = Difference(plan);
        Nat.ApplyBeforeRoutes(change);
        Nat.ApplyAfterRoutes(change);
        return change;
    }

    [GeneratedRegex(@",\n\s+")]
    private static partial Regex ElementBreak();
}
