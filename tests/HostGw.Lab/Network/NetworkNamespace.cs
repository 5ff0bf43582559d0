using System.ComponentModel;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using HostGw.Lab.Interop;
using Microsoft.Win32.SafeHandles;

namespace HostGw.Lab.Network;

/// <summary>A named network namespace, as <c>ip netns</c> shows it.</summary>
public sealed class NetworkNamespace(string name)
{
    public string Name { get; } = name;

    /// <summary>Makes namespaces with their loopback up and IPv6 addresses usable at once (no duplicate detection).</summary>
    public static void Create(IReadOnlyCollection<string> names)
    {
        Ip.Batch(names.Select(name => $"netns add {name}"));
        foreach (string name in names)
        {
            var created = new NetworkNamespace(name);
            created.Sysctl("ipv6/conf/default/accept_dad", "0");
            created.Sysctl("ipv6/conf/default/dad_transmits", "0");
            created.Configure(["link set lo up"]);
        }
    }

    public static void Delete(IEnumerable<string> names) => Ip.Batch(names.Select(name => $"netns del {name}"));

    /// <summary>Runs lines of <c>ip -batch</c> in here.</summary>
    public void Configure(IEnumerable<string> lines) => Ip.Batch(lines, Name);

    /// <summary>Runs a program in here to its end and returns its output.</summary>
    public string Exec(string program, params IEnumerable<string> arguments) =>
        Command.Run("ip", ["netns", "exec", Name, program, .. arguments]);

    /// <summary>Reads a value below /proc/sys/net.</summary>
    public string Sysctl(string path) => Run(() => File.ReadAllText($"/proc/sys/net/{path}").Trim());

    public void Sysctl(string path, string value) => Run(() => File.WriteAllText($"/proc/sys/net/{path}", value));

    public void Run(Action action) => Run(() =>
    {
        action();
        return true;
    });

    /// <summary>Runs a function on a thread that is in here. A socket made by it stays in here for life, on any thread.</summary>
    public T Run<T>(Func<T> function)
    {
        T result = default!;
        ExceptionDispatchInfo? failure = null;
        // setns is per thread, so the thread is used once and never goes back to a pool.
        var thread = new Thread(() =>
        {
            try
            {
                Enter();
                result = function();
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result;
    }

    private void Enter()
    {
        using SafeFileHandle file = File.OpenHandle($"/run/netns/{Name}");
        if (Libc.setns(file, Libc.CLONE_NEWNET) != 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError(), $"setns to {Name}");
    }
}
