using System.Diagnostics;
using HostGw.Lab.Network;

namespace HostGw.Lab.Tests.Platform;

/// <summary>The guards' table in the hands of a program that allows nobody to change it (nft's flag owner), until it ends.</summary>
internal sealed class OwnedTable : IDisposable
{
    private readonly Process _program;

    private OwnedTable(Process program) => _program = program;

    /// <param name="network">Null: this process's own.</param>
    public static OwnedTable Take(NetworkNamespace? network = null)
    {
        string[] command = network is null ? ["nft", "-i"] : ["ip", "netns", "exec", network.Name, "nft", "-i"];
        Process program = Process.Start(new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        OwnedTable table = new(program);
        program.StandardInput.WriteLine("delete table inet hostgw-guard");
        program.StandardInput.WriteLine("add table inet hostgw-guard { flags owner; }");
        program.StandardInput.Flush();
        string list = $"{string.Join(' ', command[..^1])} list table inet hostgw-guard 2>&1 || true";
        Assert.True(SpinWait.SpinUntil(
            () => Command.Run("sh", "-c", list).Contains("flags owner", StringComparison.Ordinal), Expect.Patience));
        return table;
    }

    public void Dispose()
    {
        _program.StandardInput.Close();
        _program.WaitForExit();
        _program.Dispose();
    }
}
