using HostGw.Platform;

namespace HostGw.Tests.Reconciliation;

internal sealed class HostRefusal(string message, bool isNotFound = false) : HostNetworkException(message)
{
    public override bool IsNotFound => isNotFound;
}
