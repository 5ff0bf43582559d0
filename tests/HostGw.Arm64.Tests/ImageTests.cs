using HostGw.Lab.Tests.Image;

namespace HostGw.Arm64.Tests;

/// <summary>The image that tests/tools/image.sh arm64 built.</summary>
public sealed class ImageTests
{
    private const string Loader = "ld-linux-aarch64.so.1";
    private const ushort Aarch64 = 183; // EM_AARCH64 of elf.h

    [Fact]
    public void There_is_the_program_iptables_and_their_libraries_no_shell_and_at_most_50_MB() =>
        ImageContents.Check(BuiltImage.LinuxArm64, Loader);

    [Fact]
    public void Every_program_and_library_is_for_arm64() => Assert.All(
        ImageContents.LinkedFiles(BuiltImage.LinuxArm64),
        f => Assert.Equal(Aarch64, BitConverter.ToUInt16(File.ReadAllBytes(BuiltImage.LinuxArm64.Root + f), 18)));

    [Fact]
    public async Task Every_library_that_is_asked_for_is_there()
    {
        foreach (string file in ImageContents.LinkedFiles(BuiltImage.LinuxArm64).Where(f => !f.Contains("/xtables/", StringComparison.Ordinal)))
        {
            Result loaded = await Programs.Arm64Async(Loader, "--list", BuiltImage.LinuxArm64.Root + file);
            Assert.True(loaded.ExitCode == 0, $"{file}: {loaded.Error}");
            Assert.DoesNotContain("not found", loaded.Output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Iptables_runs()
    {
        Result answer = await Programs.Arm64Async("xtables-legacy-multi", "iptables", "--version");
        Assert.Equal(0, answer.ExitCode);
        Assert.Contains("(legacy)", answer.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Its_architecture_is_in_its_description() =>
        Assert.Equal("arm64", (string?)BuiltImage.LinuxArm64.Description["OCIv1"]!["architecture"]);
}
