namespace HostGw.Platform;

/// <summary>A UDP datagram that this host has received.</summary>
/// <param name="To">The address of this host that it was sent to; none: the socket does not say.</param>
/// <param name="Hops">How many hops it had left to live; 0: the socket does not say.</param>
internal readonly record struct ReceivedDatagram(int Length, Ip From, int Port, Ip To, int Hops);

/// <summary>An ICMP message about a datagram that this host has sent.</summary>
/// <param name="Length">Of what is quoted.</param>
/// <param name="From">Who sent the message.</param>
/// <param name="IsTimeExceeded">The datagram had no hop left to live.</param>
internal readonly record struct DatagramError(int Length, Ip From, bool IsTimeExceeded);
