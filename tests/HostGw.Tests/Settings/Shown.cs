using System.Collections;
using System.Reflection;
using HostGw.Settings;

namespace HostGw.Tests.Settings;

/// <summary>Settings as lines of "Property = value", whole: records with collections do not compare by content.</summary>
internal static class Shown
{
    public static string[] Lines(AgentSettings settings) => [.. Properties("", settings)];

    private static IEnumerable<string> Properties(string path, object value)
    {
        foreach (PropertyInfo property in value.GetType().GetProperties().OrderBy(p => p.Name, StringComparer.Ordinal))
        {
            string name = path + property.Name;
            object? part = property.GetValue(value);
            if (part is HostGw.Planning.Policy or HostGw.Planning.NatPolicy or HostGw.Planning.WindowsPolicy or HostGw.Planning.TunnelPolicy)
            {
                foreach (string line in Properties(name + ".", part))
                    yield return line;
            }
            else
            {
                yield return $"{name} = {Text(part)}";
            }
        }
    }

    private static string Text(object? value) => value switch
    {
        HostGw.Planning.NodeSelector selector => string.Join(
            " & ", selector.Requirements.Select(r => $"{r.Key} {(r.Negated ? "not " : "")}[{string.Join(' ', r.Values)}]")),
        IEnumerable list and not string => string.Join(' ', list.Cast<object>()),
        _ => value?.ToString() ?? "",
    };
}
