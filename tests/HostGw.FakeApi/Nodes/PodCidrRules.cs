using System.Globalization;
using System.Net.Sockets;
using HostGw.FakeApi.Resources;

namespace HostGw.FakeApi.Nodes;

/// <summary>Which podCIDRs the real server lets into a Node. It lets in far more than is sensible: 0.0.0.0/0 passes.</summary>
internal static class PodCidrRules
{
    public static IEnumerable<FieldError> Check(string[] podCidrs)
    {
        for (int i = 0; i < podCidrs.Length; i++)
        {
            if (FamilyOf(podCidrs[i]) is null)
                yield return Invalid($"spec.podCIDRs[{i}]", podCidrs[i], "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
        }
        if (podCidrs.Length > 2)
            yield return Invalid("spec.podCIDRs", Shown(podCidrs), "may specify no more than one CIDR for each IP family");
        else if (podCidrs.Length == 2 && FamilyOf(podCidrs[0]) is { } first && FamilyOf(podCidrs[1]) == first)
            yield return Invalid("spec.podCIDRs", Shown(podCidrs), "may specify no more than one CIDR for each IP family");
    }

    private static AddressFamily? FamilyOf(string text)
    {
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0 || !IPAddress.TryParse(text.AsSpan(0, slash), out IPAddress? address))
            return null;
        int most = address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;
        bool valid = int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int bits) && bits <= most;
        return valid ? address.AddressFamily : null;
    }

    private static string Shown(string[] podCidrs) => $"[{string.Join(",", podCidrs.Select(c => $"\"{c}\""))}]";

    private static FieldError Invalid(string field, string value, string why) =>
        new(field, "FieldValueInvalid", $"Invalid value: {(value.StartsWith('[') ? value : $"\"{value}\"")}: {why}");
}
