namespace HostGw.Nodes;

internal enum NodeAddressType
{
    /// <summary>Host names and whatever comes later.</summary>
    Other,
    InternalIP,
    ExternalIP,
}
