using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>A Kubernetes label selector over nodes: requirements that must all hold.</summary>
/// <remarks>https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors</remarks>
internal sealed record NodeSelector(ImmutableArray<LabelRequirement> Requirements)
{
    public static NodeSelector Everything { get; } = new(ImmutableArray<LabelRequirement>.Empty);

    public bool Matches(ClusterNode node)
    {
        foreach (LabelRequirement requirement in Requirements)
        {
            if (!requirement.Holds(node.Labels))
                return false;
        }
        return true;
    }

    /// <summary>Reads "a=b,c!=d,e,!f,g in (x,y),h notin (z)".</summary>
    /// <exception cref="FormatException">A requirement cannot be read; the message quotes it.</exception>
    public static NodeSelector Parse(string text)
    {
        var requirements = ImmutableArray.CreateBuilder<LabelRequirement>();
        foreach (string part in SplitOutsideParentheses(text))
            requirements.Add(LabelRequirement.Parse(part));
        return new(requirements.ToImmutable());
    }

    private static IEnumerable<string> SplitOutsideParentheses(string text)
    {
        int start = 0, depth = 0;
        for (int i = 0; i <= text.Length; i++)
        {
            char c = i < text.Length ? text[i] : ',';
            depth += c switch { '(' => 1, ')' => -1, _ => 0 };
            if (c != ',' || (depth > 0 && i < text.Length))
                continue;
            if (text[start..i].Trim() is { Length: > 0 } part)
                yield return part;
            start = i + 1;
        }
    }
}
