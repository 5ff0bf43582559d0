namespace HostGw.Platform;

/// <summary>The host refused a request. The next pass tries again; anything else that goes wrong is a bug and stops the agent.</summary>
internal abstract class HostNetworkException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>What was being removed is not there: for a reconciler, that is success.</summary>
    public abstract bool IsNotFound { get; }
}
