using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Windows;

namespace HostGw.Windows.Tests.OnWindows;

/// <summary>The machine that is asked.</summary>
[SupportedOSPlatform("windows")]
internal static unsafe class Machine
{
    /// <summary>Name of everything that has one and that these tests make.</summary>
    public const string Name = "hostgw-verify";

    /// <summary>Prefixes of documentation (RFC 5737, RFC 3849): no real network has them.</summary>
    public static IReadOnlyList<Prefix> Documentation { get; } =
        [Prefix.Parse("192.0.2.0/24"), Prefix.Parse("198.51.100.0/24"), Prefix.Parse("203.0.113.0/24"), Prefix.Parse("2001:db8::/32")];

    /// <summary>Null on Windows.</summary>
    public static string? WineVersion { get; } =
        NativeLibrary.TryGetExport(NativeLibrary.Load("ntdll.dll"), "wine_get_version", out nint version)
            ? Marshal.PtrToStringUTF8(((delegate* unmanaged<nint>)version)())
            : null;

    public static bool IsWine => WineVersion is not null;

    /// <summary>What verify.ps1 was told: HNS may bridge this machine's own interface.</summary>
    public static bool MayBridge => Environment.GetEnvironmentVariable("VERIFY_L2BRIDGE") == "1";

    /// <summary>Where everything is that these tests write.</summary>
    public static string Folder { get; } = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.CommonApplicationData), Name);

    /// <summary>Reads the network as the agent does.</summary>
    public static HostState Read() =>
        new WindowsHostReader(new() { StateDirectory = Folder, Network = Name }, new OwnedRoutes()).Read([]);

    /// <summary>Where routes do no harm: packets that it gets go nowhere.</summary>
    public static HostInterface Loopback => Read().Interfaces.First(i => i.IsLoopback);

    /// <summary>The interface of the IPv4 default route, where the agent's routes are on a node.</summary>
    public static (HostInterface Interface, Ip Gateway) Uplink()
    {
        HostState state = Read();
        HostRoute route = state.Routes.Where(r => r.Destination is { IsIPv4: true, Length: 0 } && !r.NextHop.IsNone)
            .OrderBy(r => r.Metric + (state.Interface(r.Interface)?.MetricIPv4 ?? 0)).FirstOrDefault();
        return state.Interface(route.Interface) is { } uplink
            ? (uplink, route.NextHop)
            : throw new NotAskedException("this machine has no IPv4 default route");
    }

    /// <summary>What Windows's own administration says, as a witness.</summary>
    public static string PowerShell(string command)
    {
        if (IsWine)
            return "";
        string answer = Run("powershell.exe", ["-NoProfile", "-NonInteractive", "-Command", command]).Output.Trim();
        return $"; {command.Split(' ')[0].TrimStart('(')}: {answer}";
    }

    /// <summary>Starts a program whose output the caller reads, without settings of HostGw from the environment.</summary>
    public static Process Start(string program, params IEnumerable<string> arguments)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        string[] settings = [.. start.Environment.Keys.Where(k => k.StartsWith("HOSTGW_", StringComparison.OrdinalIgnoreCase))];
        foreach (string setting in settings)
            start.Environment.Remove(setting);
        return Process.Start(start)!;
    }

    /// <summary>Runs a program to its end.</summary>
    public static (int ExitCode, string Output) Run(string program, params IEnumerable<string> arguments)
    {
        using Process process = Start(program, arguments);
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + error.Result);
    }
}

/// <summary>A question cannot be asked here.</summary>
internal sealed class NotAskedException(string why) : Exception(why)
{
    /// <summary>Wine and the stand-ins have nothing that could answer.</summary>
    [SupportedOSPlatform("windows")]
    public static void OnWine()
    {
        if (Machine.IsWine)
            throw new NotAskedException("Wine");
    }
}
