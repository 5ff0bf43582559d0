using System.Runtime.InteropServices;

namespace HostGw.Lab.Tests.Platform;

/// <summary>What a process may do, taken away.</summary>
internal static partial class Capabilities
{
    /// <summary>Runs a function on a thread that has none: they belong to a thread, and this one ends with the function.</summary>
    public static T Without<T>(Func<T> function)
    {
        T result = default!;
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                Assert.Equal(0, capset([0x20080522, 0], new uint[6])); // _LINUX_CAPABILITY_VERSION_3, this thread; none of any set
                result = function();
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        return failure is null ? result : throw new InvalidOperationException("the thread without capabilities failed", failure);
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int capset(ReadOnlySpan<uint> header, ReadOnlySpan<uint> data);
}
