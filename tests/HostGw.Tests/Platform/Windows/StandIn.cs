using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using HostGw.Platform.Windows.Interop;
using HostGw.Tests.Architecture;

namespace HostGw.Tests.Platform.Windows;

/// <summary>Takes the place of Windows's libraries in this process: the C sources of tests/native/standin. One host for all tests, one test at a time.</summary>
[SupportedOSPlatform("windows")]
internal static unsafe partial class StandIn
{
    private const string Library = "standin";
    private const int MaxReply = 1 << 20;

    static StandIn()
    {
        string path = Repository.PathTo("artifacts/standin/libstandin.so");
        if (!File.Exists(path))
            throw new InvalidOperationException($"{path} is missing: tests/tools/standin.sh linux builds it");
        nint library = NativeLibrary.Load(path);
        nint Resolve(string name, Assembly assembly, DllImportSearchPath? search) => name is IpHlpApi.Library or ComputeNetwork.Library or Library ? library : 0;
        NativeLibrary.SetDllImportResolver(typeof(IpHlpApi).Assembly, Resolve);
        NativeLibrary.SetDllImportResolver(typeof(StandIn).Assembly, Resolve);
    }

    /// <summary>Runs lines of the language of commands.c, all of which must be understood.</summary>
    public static void Do(params IEnumerable<string> lines)
    {
        foreach (string line in lines)
            Assert.Equal(("", line), (Ask(line), line));
    }

    /// <summary>The answer to a question, without the end of its last line.</summary>
    public static string Ask(string question)
    {
        byte[] reply = new byte[MaxReply];
        fixed (byte* start = reply)
        {
            StandInCommand(question, start, reply.Length);
            return Marshal.PtrToStringUTF8((nint)start)!.TrimEnd('\n');
        }
    }

    /// <summary>Forgets what HNS was asked to make, as restarting the service may.</summary>
    public static void ForgetNetworks() => Do("hcn-forget");

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial void StandInCommand(string line, byte* reply, int size);
}
