using System.Text.Json.Nodes;

namespace HostGw.Lab.Tests.Image;

/// <summary>What kubelet and containerd make of a container of a pod: the configuration that an OCI runtime reads.</summary>
internal sealed class ContainerSpec(JsonNode container, JsonNode image, string node, IReadOnlyDictionary<string, string> volumes)
{
    private JsonNode Security => container["securityContext"]!;

    /// <param name="root">Where the image's files are.</param>
    /// <param name="command">Instead of what the image and the pod say; null: theirs.</param>
    /// <param name="more">Environment and mounts that kubelet adds by itself.</param>
    public JsonObject Write(string root, IEnumerable<string>? command, IEnumerable<string> moreVariables, IEnumerable<(string From, string To)> moreMounts)
    {
        string[] capabilities = Capabilities();
        return new()
        {
            ["ociVersion"] = "1.0.2",
            ["root"] = new JsonObject { ["path"] = root, ["readonly"] = (bool)Security["readOnlyRootFilesystem"]! },
            ["process"] = new JsonObject
            {
                ["user"] = new JsonObject { ["uid"] = (int)Security["runAsUser"]!, ["gid"] = (int?)Security["runAsGroup"] ?? 0 },
                ["args"] = List(command ?? Texts(image["Entrypoint"]).Concat(Texts(container["args"]))),
                ["env"] = List([.. Texts(image["Env"]), .. moreVariables, .. container["env"]!.AsArray().Select(e => $"{e!["name"]}={Value(e)}")]),
                ["cwd"] = "/",
                ["noNewPrivileges"] = !(bool)Security["allowPrivilegeEscalation"]!,
                ["capabilities"] = new JsonObject(((string[])["bounding", "effective", "permitted"]).Select(set => KeyValuePair.Create(set, (JsonNode?)List(capabilities)))),
            },
            ["mounts"] = new JsonArray([
                .. Usual(), .. moreMounts.Select(m => Bind(m.From, m.To, true)),
                .. container["volumeMounts"]!.AsArray().Select(m => Bind(volumes[(string)m!["name"]!], (string)m["mountPath"]!, (bool?)m["readOnly"] == true)),
            ]),
            ["linux"] = new JsonObject
            {
                // On the host's network: no namespace for it.
                ["namespaces"] = new JsonArray([.. ((string[])["pid", "ipc", "uts", "mount"]).Select(type => new JsonObject { ["type"] = type })]),
                ["maskedPaths"] = new JsonArray("/proc/kcore", "/proc/keys", "/proc/timer_list"),
                ["readonlyPaths"] = new JsonArray("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"),
                ["seccomp"] = Assert.IsType<string>((string?)Security["seccompProfile"]!["type"]) == "RuntimeDefault" ? SeccompProfile.For(capabilities) : null,
            },
        };
    }

    private string[] Capabilities()
    {
        Assert.NotEqual(true, (bool?)Security["privileged"]);
        Assert.Equal(["ALL"], Texts(Security["capabilities"]!["drop"]));
        return [.. Texts(Security["capabilities"]!["add"]).Select(c => $"CAP_{c}")];
    }

    private string Value(JsonNode variable) => (string?)variable["value"]
        ?? ((string?)variable["valueFrom"]!["fieldRef"]!["fieldPath"] == "spec.nodeName" ? node : throw new NotSupportedException(variable.ToJsonString()));

    private static IEnumerable<JsonObject> Usual() =>
    [
        Mount("proc", "/proc", "proc", "nosuid", "noexec", "nodev"),
        Mount("tmpfs", "/dev", "tmpfs", "nosuid", "mode=755", "size=65536k"),
        Mount("devpts", "/dev/pts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"),
        Mount("shm", "/dev/shm", "tmpfs", "nosuid", "noexec", "nodev", "mode=1777", "size=65536k"),
        Mount("sysfs", "/sys", "sysfs", "nosuid", "noexec", "nodev", "ro"),
    ];

    private static JsonObject Bind(string from, string to, bool readOnly) => Mount(from, to, "bind", "rbind", "rprivate", readOnly ? "ro" : "rw");

    private static JsonObject Mount(string from, string to, string type, params string[] options) =>
        new() { ["source"] = from, ["destination"] = to, ["type"] = type, ["options"] = List(options) };

    private static JsonArray List(IEnumerable<string> texts) => new([.. texts.Select(t => (JsonNode?)t)]);

    private static IEnumerable<string> Texts(JsonNode? list) => list?.AsArray().Select(t => (string)t!) ?? [];
}
