namespace HostGw.Nodes;

internal enum NodeAddressType
{
    /// <summary>Host names and whatever comes later.</summary>
    Other,
    InternalIP,
    ExternalIP,
}

internal static class NodeAddressTypes
{
    public static NodeAddressType Parse(ReadOnlySpan<char> text) => text switch
    {
        "InternalIP" => NodeAddressType.InternalIP,
        "ExternalIP" => NodeAddressType.ExternalIP,
        _ => NodeAddressType.Other,
    };
}
