namespace HostGw.Benchmarks.Figures;

/// <summary>What the figures are called: in tables, in bench.json, and in the budgets.</summary>
internal static class Names
{
    public const string ColdStart = "cold start";
    public const string ColdStartRatio = "cold start / floor";

    public const string FirstRequest = "start to first request";

    public const string MemorySettled = "memory settled, Pss";
    public const string MemoryWithoutProbes = "memory settled without probes, Pss";
    public const string MemoryAfterEvent = "memory after an Event, Pss";
    public const string MemoryGrowth = "memory above 10 nodes, Pss";
    public const string MemoryResident = "memory settled, RSS";
    public const string MemoryPeak = "memory peak, RSS";
    public const string MemoryPeakRatio = "memory peak / settled, RSS";

    public const string Join = "a node joins";
    public const string Leave = "a node leaves";
    public const string RouteDeleted = "a deleted route is back";
    public const string RouteChanged = "a changed route is right";
    public const string ProbeAddressDeleted = "a deleted probe address is back";
    public const string TunnelDeleted = "the deleted hostgw0 is back, with its routes";
    public const string TunnelDown = "hostgw0, set down, is up with its routes";
    public const string TunnelDownWhole = "hostgw0, set down, where it carries all peers";
    public const string TunnelSourceDeleted = "the deleted SOURCE is back, with its routes";
    public const string GuardElementDeleted = "a deleted element of the guards is back";
    public const string GuardRuleDeleted = "a flushed chain of the guards is back";
    public const string GuardTableDeleted = "the deleted table of the guards is back";
    public const string PolicyRuleDeleted = "the deleted policy rule is back";
    public const string NatDeleted = "the deleted NAT rule is back";
    public const string NatDeletedByEnding = "the same, deleted by a program that ends";
    public const string IptablesNftFlushed = "a flushed chain of iptables-nft is back";
    public const string IptablesLegacyFlushed = "a flushed chain of iptables-legacy: the pass";

    public const string HeartbeatCpu = "heartbeats: processor";
    public const string HeartbeatCpuWithoutProbes = "heartbeats without probes: processor";
    public const string HeartbeatPasses = "heartbeats: passes";
    public const string HeartbeatFullPasses = "heartbeats: periodic passes";
    public const string HeartbeatWrites = "heartbeats: netlink writes";
    public const string HeartbeatBytes = "heartbeats: received";

    public const string ProbeCpu = "probes of 500 peers: processor";
    public const string ProbeBytes = "probes of 500 peers: received";
    public const string ProbeMemory = "probes of 500 peers: memory, Pss";

    public const string TunnelVerdict = "pod packets are dropped: verdict";
    public const string TunnelSwitch = "pod packets are dropped: no traffic for";
    public const string TunnelThroughput = "tunnel: TCP";
    public const string TunnelThroughputRatio = "tunnel / native: TCP";
    public const string TunnelRoundTrip = "tunnel: TCP round trip";
    public const string TunnelRoundTripRatio = "tunnel / native: TCP round trip";

    public const string ServerReturn = "API server is back: followed by 3 agents";
    public const string ServerReturnToAll = "the same with 497 protocol readers";
    public const string ServerReturnSlowest = "the slowest of those";

    public const string DigestFirstList = "digest: received before the last route";
    public const string DigestJoin = "digest: a node joins";
    public const string DigestJoinBytes = "digest: received for a join";
    public const string DigestHour = "digest: received in an hour without changes";
    public const string DigestHourShort = "digest: received in an hour without changes, from 5 minutes";
    public const string DigestMemory = "the digest itself: memory, Pss";
    public const string DigestCpu = "the digest itself: processor";
    public const string DigestWrites = "the digest itself: writes for heartbeats";

    public const string NodesFirstList = "nodes: received before the last route";
    public const string NodesJoinBytes = "nodes: received for a join";
    public const string NodesHour = "nodes: received in an hour without changes, from 1 minute";
    public const string NodesAll = "nodes: sent to all agents, computed";
    public const string DigestAll = "digest: sent to all agents, computed";

    public const string QuietPass = "a pass without changes";
    public const string QuietPassWrites = "a pass without changes: netlink writes";

    public const string HeartbeatProtobuf = "apply a heartbeat, protobuf";

    public static string Allocated(string name) => $"{name}: allocated";
}
