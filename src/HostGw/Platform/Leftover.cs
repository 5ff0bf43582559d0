namespace HostGw.Platform;

/// <summary>A rule that another network agent left behind and that does harm.</summary>
/// <param name="What">In words.</param>
/// <param name="Remove">Throws <see cref="HostNetworkException"/>.</param>
internal sealed record Leftover(string What, Action Remove)
{
    public string Problem => $"{What}; if what made it is gone, `hostgw adopt --rules` removes it";
}
