namespace HostGw.Planning;

/// <summary>An address on an interface's segment.</summary>
internal readonly record struct Neighbour(Ip Address, int Interface);
