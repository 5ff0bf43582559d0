using System.Security.Cryptography;
using System.Text;
using HostGw.Reconciliation;

namespace HostGw.Status;

/// <summary>An Event about this node: one per problem, however often it comes back and however often the agent is started.</summary>
internal sealed record NodeEvent(Problem Problem, string Node, string NodeUid)
{
    // The API server's limit for notes; kubectl shows all of it.
    private const int MaxMessage = 1024;
    private const int MaxNodeInName = 200;

    /// <summary>The same for the same problem of the same Node object.</summary>
    public string Name
    {
        get
        {
            byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{NodeUid}\n{Problem.Reason}\n{Problem.Subject}"));
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
}
