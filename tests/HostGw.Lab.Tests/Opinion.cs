using System.Text.Json;
using HostGw.Lab.Agents;

namespace HostGw.Lab.Tests;

/// <summary>What an agent says about one podCIDR of one node.</summary>
internal sealed record Opinion(string PodCidr, string Verdict, string Reason, string Route)
{
    /// <summary>Of every podCIDR of a node; for a node without any, one with an empty podCIDR.</summary>
    public static async Task<IReadOnlyList<Opinion>> OfAsync(Agent agent, string node)
    {
        JsonElement status = await agent.StatusAsync();
        JsonElement found = status.GetProperty("nodes").EnumerateArray().FirstOrDefault(n => n.GetProperty("name").GetString() == node);
        if (found.ValueKind == JsonValueKind.Undefined)
            return [];
        Opinion[] each = [.. found.GetProperty("podCidrs").EnumerateArray().Select(Read)];
        return each.Length > 0 ? each : [Read(found)];
    }

    private static Opinion Read(JsonElement element) =>
        new(Text(element, "podCidr"), Text(element, "verdict"), Text(element, "reason"), Text(element, "route"));

    private static string Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out JsonElement value) ? value.GetString() ?? "" : "";
}
