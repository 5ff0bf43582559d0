using System.Security.Cryptography;
using System.Text;
using HostGw.Problems;
using k8s.Models;

namespace HostGw.Status;

/// <summary>
/// An Event about this node: one per problem, however often it comes back and however often the agent is started. In the core form, as
/// kubelet's own: every kubectl shows its count and age, and its count and message may change (events.k8s.io/v1 allows only series).
/// </summary>
/// <remarks>https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/</remarks>
internal sealed record NodeEvent(Problem Problem, string Node, string NodeUid)
{
    /// <summary>Events about objects outside of namespaces, such as Nodes, are kept there.</summary>
    public const string Namespace = "default";

    private const string Component = "hostgw";

    // The API server's limit for notes; kubectl shows all of it.
    private const int MaxMessage = 1024;
    private const int MaxNodeInName = 200;

    /// <summary>The same for the same problem of the same Node object.</summary>
    public string Name
    {
        get
        {
            byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{NodeUid}\n{Problem.Rule}\n{Problem.Subject}"));
            string node = Node.Length <= MaxNodeInName ? Node : Node[..MaxNodeInName].TrimEnd('.', '-');
            return $"{node}.hostgw-{Convert.ToHexStringLower(hash.AsSpan(0, 8))}";
        }
    }

    /// <summary>The problem and its cure on one line, in at most 1024 bytes.</summary>
    public string Message
    {
        get
        {
            string text = Problem.Cure.Length == 0 ? Problem.Text : $"{Problem.Text}. To do: {Problem.Cure}";
            text = string.Create(text.Length, text, static (line, source) =>
            {
                for (int i = 0; i < line.Length; i++)
                    line[i] = char.IsControl(source[i]) ? ' ' : source[i];
            });
            if (Encoding.UTF8.GetByteCount(text) <= MaxMessage)
                return text;
            Encoding.UTF8.GetEncoder().Convert(text, new byte[MaxMessage - 3], flush: true, out int taken, out _, out _);
            return text[..taken] + "…";
        }
    }

    /// <summary>The whole Event, as of its first occurrence.</summary>
    public Corev1Event First(DateTimeOffset now) => Occurrence(1, now) with
    {
        Kind = Corev1Event.KubeKind,
        ApiVersion = Corev1Event.KubeApiVersion,
        Metadata = new() { Name = Name, NamespaceProperty = Namespace },
        InvolvedObject = new() { Kind = V1Node.KubeKind, ApiVersion = V1Node.KubeApiVersion, Name = Node, Uid = NodeUid },
        Type = "Warning",
        Reason = Problem.Rule,
        Source = new() { Component = Component, Host = Node },
        ReportingComponent = Component,
        ReportingInstance = Node,
        FirstTimestamp = now.UtcDateTime,
    };

    /// <summary>What a further occurrence changes.</summary>
    /// <param name="count">Null leaves it.</param>
    public Corev1Event Occurrence(int? count, DateTimeOffset now) =>
        new() { Message = Message, LastTimestamp = now.UtcDateTime, Count = count };
}
