namespace HostGw;

/// <summary>Finds a pod's file in a HostProcess container: containerd before 1.7 mounts volumes below the sandbox's folder.</summary>
/// <remarks>https://kubernetes.io/docs/tasks/configure-pod-container/create-hostprocess-pod/#volume-mounts</remarks>
internal static class SandboxPath
{
    private const string MountPoint = "CONTAINER_SANDBOX_MOUNT_POINT";

    public static string Of(string path) => Of(path, Environment.GetEnvironmentVariable(MountPoint), Path.Exists);

    /// <param name="path">Absolute, with forward slashes.</param>
    /// <param name="sandbox">Null or empty outside a HostProcess container.</param>
    public static string Of(string path, string? sandbox, Func<string, bool> exists)
    {
        string inside = $"{sandbox?.TrimEnd('/', '\\')}{path}";
        return !string.IsNullOrEmpty(sandbox) && exists(inside) ? inside : path;
    }
}
