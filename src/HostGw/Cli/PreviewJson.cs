using System.Text;
using System.Text.Json;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Reconciliation;

namespace HostGw.Cli;

/// <summary>A preview as JSON.</summary>
internal static class PreviewJson
{
    private const int SchemaVersion = 1;

    public static string Write(Preview preview)
    {
        return Encoding.UTF8.GetString(JsonForm.Object(json =>
        {
            RouteChanges routes = preview.Changes.Routes;
            json.WriteNumber("schemaVersion", SchemaVersion);
            json.WriteBoolean("different", !preview.IsEmpty);
            Array(json, "faults", preview.Plan.Faults, json.WriteStringValue);
            Array(json, "add", routes.Add, r => Route(json, preview, r.Destination, r.NextHop, r.Interface));
            Array(json, "correct", routes.Replace,
                c => Route(json, preview, c.Route.Destination, c.Route.NextHop, c.Route.Interface, c.Cause.ToString()));
            Array(json, "remove", routes.Delete, r => Route(json, preview, r.Destination, r.NextHop, r.Interface));
            Array(json, "conflicts", routes.Conflicts, c => json.WriteStringValue(Problems.Describe(preview.Plan, c)));
            Array(json, "leftovers", preview.Leftovers, l => json.WriteStringValue(l.What));
            json.WriteString("nat", preview.NatChange);
            json.WriteString("forwardAccept", preview.ForwardChange);
            json.WriteString("cni", preview.CniChange);
            json.WriteBoolean("enableForwardingIPv4", preview.Changes.EnableForwardingIPv4);
            json.WriteBoolean("enableForwardingIPv6", preview.Changes.EnableForwardingIPv6);
            Array(json, "acceptRa", preview.Changes.AcceptRa, c => json.WriteStringValue($"{c.Interface}={c.Value}"));
            Array(json, "verdicts", preview.Plan.Verdicts, v => Verdict(json, v));
        }, JsonForm.Readable).Span);
    }

    private static void Array<T>(Utf8JsonWriter json, string name, IEnumerable<T> items, Action<T> write)
    {
        json.WriteStartArray(name);
        foreach (T item in items)
            write(item);
        json.WriteEndArray();
    }

    private static void Route(Utf8JsonWriter json, Preview preview, Prefix destination, Ip nextHop, int link, string? cause = null)
    {
        json.WriteStartObject();
        json.WriteString("destination", destination.ToString());
        json.WriteString("nextHop", nextHop.ToString());
        json.WriteString("interface", preview.Host.Interface(link)?.Name ?? "");
        if (cause is not null)
            json.WriteString("cause", JsonNamingPolicy.CamelCase.ConvertName(cause));
        json.WriteEndObject();
    }

    private static void Verdict(Utf8JsonWriter json, Verdict verdict)
    {
        json.WriteStartObject();
        json.WriteString("node", verdict.Node.Name);
        json.WriteString("podCidr", verdict.PodCidr.ToString());
        json.WriteString("verdict", VerdictNames.Of(verdict.Kind));
        json.WriteString("reason", verdict.Reason);
        json.WriteString("nextHop", verdict.NextHop.ToString());
        json.WriteEndObject();
    }
}
