namespace HostGw.Status;

/// <summary>What a person sees of a podCIDR: its verdict, and for one that is routed whether its route stands. Ordered by how much they should care.</summary>
internal enum PeerState : byte
{
    Self,
    Installed,
    Skipped,
    NoPodCidr,
    Waiting,

    /// <summary>Left as it stands: our own node is not in order.</summary>
    Held,

    /// <summary>Its repair waits because somebody keeps undoing it.</summary>
    Missing,
    NoAddress,
    NoGateway,
    NotAdjacent,
    Rejected,

    /// <summary>Somebody else's route holds its place.</summary>
    Conflict,

    /// <summary>The host refused its route.</summary>
    Failed,
}
