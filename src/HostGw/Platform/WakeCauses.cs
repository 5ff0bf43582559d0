namespace HostGw.Platform;

/// <summary>Why a pass runs. Several causes may share one pass.</summary>
[Flags]
internal enum WakeCauses
{
    None = 0,

    /// <summary>From now on the host is listened to: what changed before was not heard.</summary>
    Start = 1,
    Nodes = 2,
    Routes = 4,
    Links = 8,
    Addresses = 16,
    Forwarding = 32,
    Nat = 64,

    /// <summary>The kernel told more than could be read: anything may have changed.</summary>
    Overrun = 128,

    /// <summary>An operation failed, or could not be finished.</summary>
    Retry = 256,

    /// <summary>So long ago was the last pass, or the last of these: nothing that is known is trusted.</summary>
    Resync = 512,

    /// <summary>Somebody changed a CNI configuration.</summary>
    Cni = 1024,
}
