using System.Text.Json.Nodes;

namespace HostGw.Lab.Tests.Image;

/// <summary>The default profile of Debian's container programs, as a runtime takes it. containerd's own differs from it in little.</summary>
internal static class SeccompProfile
{
    private const string File = "/usr/share/containers/seccomp.json";

    public static JsonObject For(IReadOnlyCollection<string> capabilities)
    {
        JsonNode profile = JsonNode.Parse(System.IO.File.ReadAllText(File))!;
        var rules = profile["syscalls"]!.AsArray().Select(r => r!.AsObject()).Where(r => Applies(r, capabilities)).Select(r => Rule(r));
        return new()
        {
            ["defaultAction"] = profile["defaultAction"]!.DeepClone(),
            ["defaultErrnoRet"] = profile["defaultErrnoRet"]?.DeepClone(),
            ["architectures"] = new JsonArray("SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"),
            ["syscalls"] = new JsonArray([.. rules]),
        };
    }

    private static bool Applies(JsonObject rule, IReadOnlyCollection<string> capabilities) =>
        Texts(rule["includes"]?["caps"]).All(capabilities.Contains)
        && !Texts(rule["excludes"]?["caps"]).Any(capabilities.Contains)
        && (rule["includes"]?["arches"] is not { } arches || Texts(arches).Contains("amd64"))
        && !Texts(rule["excludes"]?["arches"]).Contains("amd64");

    private static JsonObject Rule(JsonObject rule) => new(
        from member in (string[])["names", "action", "errnoRet", "args"]
        where rule[member] is not null
        select KeyValuePair.Create(member, rule[member]?.DeepClone()));

    private static IEnumerable<string> Texts(JsonNode? list) => list?.AsArray().Select(t => (string)t!) ?? [];
}
