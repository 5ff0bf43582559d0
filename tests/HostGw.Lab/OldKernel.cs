using System.ComponentModel;
using System.Runtime.InteropServices;
using HostGw.Lab.Interop;

namespace HostGw.Lab;

/// <summary>What a program sees of a kernel built without netfilter's netlink, and so without nf_tables.</summary>
/// <remarks>https://docs.kernel.org/userspace-api/seccomp_filter.html</remarks>
internal static class OldKernel
{
    public const string Command = "without-nf-tables";

    private const int PR_SET_SECCOMP = 22;
    private const int SECCOMP_MODE_FILTER = 2;
    private const ushort Load = 0x20, JumpIfEqual = 0x15, Return = 0x06;
    private const uint Number = 0, Domain = 16, Protocol = 32; // in struct seccomp_data; the lower half of an argument comes first
    private const uint AF_NETLINK = 16, NETLINK_NETFILTER = 12;
    private const uint Allow = 0x7fff0000, RefuseWith = 0x00050000, EPROTONOSUPPORT = 93;

    /// <summary>Becomes this program, to which the kernel answers as one does that does not know the protocol.</summary>
    /// <exception cref="Win32Exception">It cannot be started. Otherwise this does not return.</exception>
    public static void Run(string[] program)
    {
        BecomeOld();
        _ = Libc.execv(program[0], [.. program, null]);
        throw new Win32Exception(Marshal.GetLastPInvokeError(), $"cannot start {program[0]}");
    }

    /// <summary>The same for this thread, which keeps it to its end, with all that it starts.</summary>
    /// <exception cref="Win32Exception">The kernel refuses.</exception>
    public static void BecomeOld()
    {
        uint socket = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 198u : 41u;
        Instruction[] filter =
        [
            new(Load, 0, 0, Number), new(JumpIfEqual, 0, 5, socket),
            new(Load, 0, 0, Domain), new(JumpIfEqual, 0, 3, AF_NETLINK),
            new(Load, 0, 0, Protocol), new(JumpIfEqual, 0, 1, NETLINK_NETFILTER),
            new(Return, 0, 0, RefuseWith | EPROTONOSUPPORT), new(Return, 0, 0, Allow),
        ];
        GCHandle instructions = GCHandle.Alloc(filter, GCHandleType.Pinned);
        FilterProgram loaded = new((ushort)filter.Length, instructions.AddrOfPinnedObject());
        if (Libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, loaded, 0, 0) != 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError());
    }

    [StructLayout(LayoutKind.Sequential)]
    internal readonly record struct FilterProgram(ushort Length, nint Instructions);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Instruction(ushort Code, byte IfTrue, byte IfFalse, uint Operand);
}
