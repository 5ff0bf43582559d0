namespace HostGw.Windows.Tests.OnWindows;

/// <summary>What only a real Windows machine can answer. docs/windows.md lists the same, which a test compares.</summary>
/// <param name="Id">The first word of its row.</param>
/// <param name="Sentence">What is true if the answer is yes.</param>
/// <param name="Obstacle">Why no test here asks it; empty: one does.</param>
internal sealed record Question(string Id, string Sentence, string Obstacle = "")
{
    private const string NeedsCluster = "it needs a node in a cluster: try it there";

    public static Question Routes { get; } = new("routes",
        "An on-link route of either family is created, listed as it was written, gets another metric and is deleted");

    public static Question Gateway { get; } = new("gateway", "The same over a next hop in one of the interface's own prefixes");

    public static Question NextHop { get; } = new("next-hop",
        "A next hop outside the interface's own prefixes (`PodGateway`) is accepted, as from New-NetRoute in AddRoutes.ps1");

    public static Question Errors { get; } = new("errors",
        "Windows names a route that exists already and one that is missing by the errors that the agent tells apart");

    public static Question BestRoute { get; } = new("best-route",
        "GetBestRoute2 answers without an interface, as its documentation does not say it does: otherwise no route is `overridden`");

    public static Question Thousand { get; } = new("thousand",
        "1,000 routes are installed and removed, by one call each; how long that takes");

    public static Question Rows { get; } = new("rows", "Interfaces and addresses read as .NET's own NetworkInterface reads them");

    public static Question WatchRoutes { get; } = new("watch-routes", "Windows announces a route that is created, changed or deleted");

    public static Question WatchInterfaces { get; } = new("watch-interfaces", "Windows announces that an interface's forwarding changed");

    public static Question WatchAddresses { get; } = new("watch-addresses", "Windows announces an address that is added");

    public static Question Forwarding { get; } = new("forwarding", "Forwarding of an interface is turned on, and off again");

    public static Question Denied { get; } = new("denied",
        "Without administrator rights Windows answers \"access denied\", and the agent reports it as such");

    public static Question State { get; } = new("state",
        "The state directory belongs to Administrators, and only they and SYSTEM may use it");

    public static Question StateOfOthers { get; } = new("state-of-others", "So does one that another user created before");

    public static Question StateLink { get; } = new("state-link",
        "A junction that leads to it is followed where Administrators own the junction, and refused where another user does");

    public static Question Lock { get; } = new("lock",
        "A second process sees the agent's lock, and may take it as soon as the first has ended or was killed");

    public static Question LockOfOthers { get; } = new("lock-of-others",
        "Another program that has taken the name of the agent's mutex is reported, the agent starts, and a second one still sees its lock");

    public static Question StopByCtrlC { get; } = new("stop-ctrl-c", "The agent stops in order by Ctrl-C, sent as containerd sends it");

    public static Question StopByCtrlBreak { get; } = new("stop-ctrl-break", "The same by Ctrl-Break");

    public static Question StopByShutdown { get; } = new("stop-shutdown", "The same by shutdown, which is what a pod's end is");

    public static Question Hns { get; } = new("hns", "HNS lists its networks and endpoints, and the agent reads them");

    public static Question HnsNetwork { get; } = new("hns-network", "HNS accepts the agent's document of a network");

    public static Question HnsEndpoint { get; } = new("hns-endpoint", "HNS accepts the agent's document of the host's endpoint");

    public static Question HnsAttach { get; } = new("hns-attach",
        "HNS attaches that endpoint through the host's namespace and it becomes an interface (flannel and SDN use the older HNSCall)");

    public static Question HnsNat { get; } = new("hns-nat",
        "HNS replaces OutBoundNAT alone when asked to update it, and keeps other policies");

    public static Question HnsBridge { get; } = new("hns-bridge",
        "HNS bridges the node's own interface (L2Bridge) and moves its address; how long that takes, during which passes wait");

    public static Question Cni { get; } = new("cni",
        "win-bridge and containerd take the CNI configuration, and a pod starts with it", NeedsCluster);

    public static Question Probes { get; } = new("probes",
        "An answer to a probe leaves the host endpoint (`.2`) by the route over it, and the socket outlives HNS taking its address away " +
        "for a moment", NeedsCluster);

    public static Question Container { get; } = new("container",
        "The image runs as a HostProcess container with the rights it needs", NeedsCluster);

    public static Question Removed { get; } = new("removed", "Nothing that this run made is left");

    /// <summary>In the order of the table.</summary>
    public static IReadOnlyList<Question> All { get; } =
    [
        Routes, Gateway, NextHop, Errors, BestRoute, Thousand, Rows,
        WatchRoutes, WatchInterfaces, WatchAddresses, Forwarding, Denied, State, StateOfOthers, StateLink,
        Lock, LockOfOthers, StopByCtrlC, StopByCtrlBreak, StopByShutdown, Hns, HnsNetwork,
        HnsEndpoint, HnsAttach, HnsNat, HnsBridge, Cni, Probes, Container, Removed,
    ];
}
