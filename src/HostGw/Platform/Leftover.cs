namespace HostGw.Platform;

/// <summary>A rule that another network agent left behind and that does harm.</summary>
/// <param name="What">In words.</param>
/// <param name="Remove">Throws <see cref="HostNetworkException"/>. Null: whether there is one cannot be told.</param>
internal sealed record Leftover(string What, Action? Remove)
{
    public string Problem => Remove is null ? What : $"{What}; if what made it is gone, `hostgw adopt --rules` removes it";
}
