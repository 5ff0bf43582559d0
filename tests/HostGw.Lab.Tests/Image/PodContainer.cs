using System.Diagnostics;
using System.Text.Json.Nodes;
using HostGw.Lab.Interop;
using HostGw.Lab.Network;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests.Image;

/// <summary>A container of the Linux image on a node, with the rights and mounts that its pod names.</summary>
internal sealed class PodContainer : IDisposable
{
    private const string ServiceAccount = "/var/run/secrets/kubernetes.io/serviceaccount";

    private static int _count;

    private readonly Node _node;
    private readonly string _id = $"pod{Interlocked.Increment(ref _count)}";
    private readonly Process _process;
    private readonly Task<string> _output;
    private readonly Task<string> _error;

    /// <summary>Starts it.</summary>
    /// <param name="name">Of its DaemonSet or Deployment.</param>
    /// <param name="kind">containers or initContainers: the first of them is meant.</param>
    /// <param name="command">Instead of what the image and the pod say; null: theirs.</param>
    public PodContainer(Node node, ControlPlane api, ChartPods chart, string name, string kind = "containers", string[]? command = null)
    {
        _node = node;
        foreach (string part in (string[])["root", "upper", "work", "volumes"])
            Directory.CreateDirectory(In(part));
        Command.Run("mount", "-t", "overlay", "overlay", "-o", $"lowerdir={BuiltImage.Linux.Root},upperdir={In("upper")},workdir={In("work")}", In("root"));

        JsonNode pod = chart.Pod(name);
        Assert.True((bool)pod["hostNetwork"]!);
        var volumes = pod["volumes"]!.AsArray().ToDictionary(v => (string)v!["name"]!, v => Prepare(v!, chart));
        var spec = new ContainerSpec(pod[kind]![0]!, BuiltImage.Linux.Config, node.Name, volumes);
        string[] variables = [$"KUBERNETES_SERVICE_HOST={Addressing.ApiServer[0]}", "KUBERNETES_SERVICE_PORT=6443"];
        bool hasToken = (bool?)pod["automountServiceAccountToken"] != false;
        if (hasToken)
            api.Server.WriteServiceAccount(In("serviceaccount"));
        File.WriteAllText(In("config.json"), spec.Write(In("root"), command, variables, hasToken ? [(In("serviceaccount"), ServiceAccount)] : []).ToJsonString());

        _process = Process.Start(new ProcessStartInfo("ip", ["netns", "exec", node.Name, "sh", "-c", Runtime($"run --bundle {In("")} {_id}")])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        _process.StandardInput.Close();
        _output = _process.StandardOutput.ReadToEndAsync();
        _error = _process.StandardError.ReadToEndAsync();
    }

    /// <summary>Where a file of a node's disk is on this machine's.</summary>
    public static string Disk(Node node, string path) => $"{Box.Directory}/disks/{node.Name}{path}";

    /// <summary>Runs a command in it, as kubectl exec does.</summary>
    public string Exec(params string[] command) => _node.Network.Exec("sh", "-c", Runtime($"exec {_id} {string.Join(' ', command)}"));

    /// <summary>The answer of its readiness probe.</summary>
    public async Task<bool> IsReadyAsync(JsonNode pod)
    {
        if (_process.HasExited)
            throw new InvalidOperationException($"it ended: {_output.Result}{_error.Result}");
        JsonNode probe = pod["containers"]![0]!["readinessProbe"]!["httpGet"]!;
        using HttpClient http = NamespaceHttp.In(_node.Network);
        try
        {
            using HttpResponseMessage answer = await http.GetAsync($"http://{probe["host"]}:{probe["port"]}{probe["path"]}");
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    /// <summary>Asks it to stop, as kubelet does, and waits for its end.</summary>
    public (int Code, string Output, string Error) Stop()
    {
        _node.Network.Exec("sh", "-c", Runtime($"kill {_id} TERM"));
        return WaitForEnd();
    }

    public (int Code, string Output, string Error) WaitForEnd()
    {
        _process.WaitForExit();
        return (_process.ExitCode, _output.Result, _error.Result);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _node.Network.Exec("sh", "-c", Runtime($"kill {_id} KILL"));
        _process.WaitForExit();
        _process.Dispose();
        Command.Run("umount", In("root"));
    }

    // crun looks for cgroups, also when it shall use none; the box has none.
    private static string Runtime(string arguments) =>
        $"mount -t tmpfs none /sys/fs/cgroup && exec crun --root {Box.Directory}/crun --cgroup-manager=disabled {arguments}";

    private string In(string path) => $"{Box.Directory}/pods/{_id}/{path}";

    private string Prepare(JsonNode volume, ChartPods chart)
    {
        if ((string?)volume["hostPath"]?["path"] is { } hostPath)
            return OnHost(hostPath, (string?)volume["hostPath"]!["type"]);
        string path = In($"volumes/{volume["name"]}");
        Directory.CreateDirectory(path);
        foreach ((string name, string text) in chart.ConfigMap((string)volume["configMap"]!["name"]!))
            File.WriteAllText($"{path}/{name}", text);
        return path;
    }

    private string OnHost(string hostPath, string? type)
    {
        if (hostPath.StartsWith("/proc/", StringComparison.Ordinal))
            return hostPath;
        if (hostPath == "/opt/cni/bin")
            return CniRuntime.Plugins;
        string path = Disk(_node, hostPath);
        Directory.CreateDirectory(type == "FileOrCreate" ? Path.GetDirectoryName(path)! : path);
        if (type == "FileOrCreate")
            File.AppendAllText(path, "");
        return path;
    }
}
