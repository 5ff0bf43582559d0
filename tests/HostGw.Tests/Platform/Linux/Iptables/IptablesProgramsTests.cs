using System.Runtime.Versioning;
using HostGw.Platform.Linux.Iptables;

namespace HostGw.Tests.Platform.Linux.Iptables;

[SupportedOSPlatform("linux")]
public sealed class IptablesProgramsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hostgw-programs").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void It_sees_its_arguments_its_input_and_two_variables()
    {
        Environment.SetEnvironmentVariable("SECRET_OF_OURS", "no business of theirs");
        string path = Script("echo \"$# $1\"; cat; env | sed 's/=.*//' | sort | tr '\\n' ' '; pwd");
        IEnumerable<string> lines = Run(path, ["$(touch nothing); a b"], "*nat\nCOMMIT\n")
            .Select(l => l.Replace("_ ", "", StringComparison.Ordinal).Replace("SHLVL ", "", StringComparison.Ordinal));
        Assert.Equal(["1 $(touch nothing); a b", "*nat", "COMMIT", "LC_ALL PATH PWD /"], lines);
    }

    [Fact]
    public void Its_complaint_is_in_the_error()
    {
        string path = Script("echo out; echo 'line 2 failed' >&2; echo 'so be it' >&2; exit 3");
        IptablesException error = Assert.Throws<IptablesException>(() => Run(path, [], new string('x', 1 << 20)));
        Assert.Contains("exit code 3: line 2 failed; so be it", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void One_that_hangs_is_killed()
    {
        IptablesException error = Assert.Throws<IptablesException>(() => Run(Script("sleep 600"), [], "", timeoutSeconds: 1));
        Assert.Contains("did not exit within 1 s", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_endless_complaint_is_cut()
    {
        string path = Script("head -c 3000000 /dev/zero | tr '\\0' e >&2; exit 1");
        IptablesException error = Assert.Throws<IptablesException>(() => Run(path, [], ""));
        Assert.InRange(error.Message.Length, 1000, 3000);
    }

    [Fact]
    public void What_cannot_be_run_is_an_error()
    {
        string path = Path.Combine(_folder, "text");
        File.WriteAllText(path, "no program");
        Assert.Throws<IptablesException>(() => Run(path, [], ""));
    }

    [Theory]
    [InlineData("nft")]
    [InlineData("legacy")]
    public void A_missing_program_is_explained_with_the_cure(string flavour)
    {
        IptablesPrograms programs = new(Programs(30), flavour == "nft" ? IptablesFlavour.Nft : IptablesFlavour.Legacy);
        IptablesException error = Assert.Throws<IptablesException>(() => programs.Restore(ipv4: false, ""));
        Assert.Contains($"ip6tables-{flavour}-restore: install iptables", error.Message, StringComparison.Ordinal);
        Assert.Contains("or do without: nat.backend nftables or none, forwardAccept false", error.Message, StringComparison.Ordinal);
    }

    private HostProgram Programs(int timeoutSeconds) => new([_folder], TimeSpan.FromSeconds(timeoutSeconds));

    private List<string> Run(string path, IReadOnlyList<string> arguments, string input, int timeoutSeconds = 60)
    {
        List<string> lines = [];
        Programs(timeoutSeconds).Run(path, arguments, input, lines.Add);
        return lines;
    }

    private string Script(string text)
    {
        string path = Path.Combine(_folder, "script");
        File.WriteAllText(path, $"#!/bin/sh\n{text}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return path;
    }
}
