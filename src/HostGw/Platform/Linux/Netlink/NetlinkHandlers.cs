namespace HostGw.Platform.Linux.Netlink;

/// <summary>Takes one message of a dump.</summary>
internal delegate void NetlinkMessageHandler(ushort type, ReadOnlySpan<byte> payload);

/// <summary>Takes the kernel's refusal of message <paramref name="index"/> of a batch.</summary>
internal delegate void NetlinkFailureHandler(int index, NetlinkException failure);
