using HostGw.Lab.Agents;

namespace HostGw.Lab;

/// <summary>The commands by which a person looks into the cluster that `make up` keeps, as they are printed.</summary>
internal static class LookCommands
{
    /// <summary>In a shell in the box.</summary>
    public static string FindHostgw => $"export PATH={Path.GetDirectoryName(AgentBinary.Find())}:$PATH";

    /// <param name="box">The box's process id, as seen from outside.</param>
    /// <param name="name">Of a node, such as node2, or of a pod, such as node2-pod1.</param>
    public static string Shell(int box, string name) => $"{Box.EnterCommandOf(box)} ip netns exec {name} bash";

    /// <summary>A command of hostgw with the settings of the agents, for the shell of any node.</summary>
    public static string Hostgw(string command, AgentSettings settings, params IEnumerable<string> more) => string.Join(
        ' ', ["hostgw", command, "--node-name", "$(ip netns identify)", "--kubeconfig", ControlPlane.KubeconfigPath, .. settings.Flags, .. more]);
}
