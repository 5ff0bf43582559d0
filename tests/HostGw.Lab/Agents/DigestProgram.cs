using HostGw.Lab.Network;

namespace HostGw.Lab.Agents;

/// <summary>The real `hostgw digest`.</summary>
public sealed class DigestProgram : RunningProgram
{
    private const int Port = 9159;

    /// <param name="network">Null: it runs in this process's own.</param>
    /// <param name="node">The name of a Node, by which it reads the store's resourceVersion.</param>
    /// <param name="name">Of its log.</param>
    internal DigestProgram(NetworkNamespace? network, string node, string kubeconfig, string name = "digest")
        : base(network, node, kubeconfig, name, Port)
    {
    }

    private protected override IEnumerable<string> Arguments =>
    [
        "digest", "--digest-listen", Listen, "--log-format", "text", "--node-name", Node,
        .. Kubeconfig is null ? [] : new[] { "--kubeconfig", Kubeconfig },
    ];

    private protected override string What => $"the digest on {Node}";
}
