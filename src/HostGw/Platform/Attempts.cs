namespace HostGw.Platform;

/// <summary>Makes changes of which one that fails never prevents the others, and collects the failures.</summary>
internal sealed class Attempts
{
    public List<HostFailure> Failures { get; } = [];

    /// <returns>False: the host refused.</returns>
    public bool Try(HostPart part, string what, bool wanted, Action change)
    {
        if (!wanted)
            return true;
        try
        {
            change();
            return true;
        }
        catch (HostNetworkException e)
        {
            Fail(part, what, e);
            return false;
        }
    }

    public void Fail(HostPart part, string what, HostNetworkException error) => Failures.Add(new(part, what, null, error));
}
