namespace HostGw.Platform.Cni;

/// <summary>A CNI configuration cannot be read, written or used. The message ends with what to do.</summary>
internal sealed class CniException(string message, Exception? inner = null) : HostNetworkException(message, inner)
{
    public override bool IsNotFound => false;
}
