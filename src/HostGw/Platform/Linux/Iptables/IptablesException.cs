namespace HostGw.Platform.Linux.Iptables;

/// <summary>iptables is not there, failed, or is not fit for what is wanted.</summary>
internal sealed class IptablesException(string message, Exception? inner = null) : HostNetworkException(message, inner)
{
    public override bool IsNotFound => false;
}
