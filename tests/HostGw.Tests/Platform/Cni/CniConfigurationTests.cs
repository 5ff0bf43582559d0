using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Cni;
using HostGw.Tests.Kubernetes;

namespace HostGw.Tests.Platform.Cni;

[SupportedOSPlatform("linux")]
public sealed class CniConfigurationTests : IDisposable
{
    private const string Foreign = """{"name": "cbr0", "plugins": [{"type": "flannel"}]}""";

    private readonly TemporaryFolder _folder = new();
    private readonly CniPlan _plan = new([Prefix.Parse("10.244.1.0/24")], 1500);
    private CniConfiguration _cni;

    public CniConfigurationTests()
    {
        Directory.CreateDirectory(_folder["bin"]);
        foreach (string plugin in Conflist.Plugins)
            File.WriteAllText(_folder[$"bin/{plugin}"], "");
        _cni = Open();
    }

    public void Dispose()
    {
        _cni.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void It_is_written_where_none_is_and_then_left_alone()
    {
        Assert.Equal($"wrote {Ours}", _cni.Preview(_plan));
        Assert.Equal($"wrote {Ours}", _cni.Apply(_plan));
        Assert.Equal(Conflist.Write(_plan), File.ReadAllBytes(Ours));
        Assert.Equal(new(Ours, true), _cni.InUse);
        Assert.Equal(["10-hostgw.conflist"], Names());
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Ours));

        DateTime at = File.GetLastWriteTimeUtc(Ours);
        Assert.Equal(("", ""), (_cni.Preview(_plan), _cni.Apply(_plan)));
        Assert.Equal(at, File.GetLastWriteTimeUtc(Ours));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData(Foreign)]
    public void What_somebody_made_of_it_is_put_right(string changed)
    {
        _cni.Apply(_plan);
        File.WriteAllText(Ours, changed);
        Assert.Equal($"rewrote {Ours}", _cni.Apply(_plan));
        Assert.Equal(Conflist.Write(_plan), File.ReadAllBytes(Ours));
    }

    [Fact]
    public void Who_is_reading_it_sees_the_old_text_to_its_end()
    {
        _cni.Apply(_plan);
        using StreamReader reader = new(File.OpenRead(Ours));
        _cni.Apply(_plan with { Mtu = 9000 });
        Assert.Equal(System.Text.Encoding.UTF8.GetString(Conflist.Write(_plan)), reader.ReadToEnd());
    }

    [Fact]
    public void Other_podCIDRs_and_another_MTU_are_written()
    {
        _cni.Apply(_plan);
        foreach (CniPlan next in (CniPlan[])[_plan with { Mtu = 9000 }, _plan with { PodCidrs = [Prefix.Parse("10.244.9.0/24")] }])
        {
            Assert.Equal($"rewrote {Ours}", _cni.Apply(next));
            Assert.Equal(Conflist.Write(next), File.ReadAllBytes(Ours));
        }
    }

    [Fact]
    public void Where_anothers_comes_first_ours_goes_and_comes_back_with_its_end()
    {
        _cni.Apply(_plan);
        string other = Put("10-flannel.conflist", Foreign);
        Assert.Equal($"removed {Ours}: 10-flannel.conflist comes first", _cni.Apply(_plan));
        Assert.Equal((new(other, false), Foreign), (_cni.InUse!, File.ReadAllText(other)));
        Assert.Equal("", _cni.Apply(_plan));

        File.Delete(other);
        Assert.Equal($"wrote {Ours}", _cni.Apply(_plan));
    }

    [Fact]
    public void Taking_over_puts_ours_before_anothers_which_stays_and_back()
    {
        string other = Put("10-flannel.conflist", Foreign), first = _folder["net.d/00-hostgw.conflist"];
        _cni = Open(takeOver: true);
        Assert.Equal($"wrote {first}", _cni.Apply(_plan));
        Assert.Equal((new(first, true), Foreign), (_cni.InUse!, File.ReadAllText(other)));

        _cni = Open();
        Assert.Equal($"removed {first}: 10-flannel.conflist comes first", _cni.Apply(_plan));
        Assert.Equal(["10-flannel.conflist"], Names());
    }

    [Fact]
    public void Off_means_off_and_touches_nothing_of_others()
    {
        _cni.Apply(_plan);
        Put("87-podman-bridge.conflist", Foreign);
        Put("00-hostgw.conflist", Foreign);
        Assert.Equal($"removed {_folder["net.d/00-hostgw.conflist"]}; removed {Ours}", string.Join("; ", _cni.Apply(null).Split("; ").Order(StringComparer.Ordinal)));
        Assert.Equal(["87-podman-bridge.conflist"], Names());
        Assert.Null(_cni.InUse);
        Assert.Equal("", _cni.Apply(null));
    }

    [Fact]
    public void Off_where_there_is_no_such_directory_makes_none()
    {
        Assert.Equal(("", ""), (_cni.Preview(null), _cni.Apply(null)));
        Assert.False(Directory.Exists(_folder["net.d"]));
    }

    [Fact]
    public void Without_the_plugins_nothing_is_written_and_their_names_are_told()
    {
        File.Delete(_folder["bin/ptp"]);
        File.Delete(_folder["bin/loopback"]);
        string message = $"{_folder["bin"]} has no loopback, ptp: install the package kubernetes-cni or containernetworking-plugins, or name their folder in cni.binDirectory";
        Assert.Equal($"none, for {message}", _cni.Preview(_plan));
        Assert.Equal(message, Assert.Throws<CniException>(() => _cni.Apply(_plan)).Message);
        Assert.False(File.Exists(Ours));
        Assert.Null(_cni.InUse);
    }

    [Fact]
    public void What_harms_ours_is_an_obstacle_until_it_is_gone()
    {
        string broken = Put("00-broken.conf", "{");
        _cni.Apply(_plan);
        Assert.Contains("00-broken.conf comes before", Assert.Single(_cni.Obstacles), StringComparison.Ordinal);
        File.Delete(broken);
        _cni.Apply(_plan);
        Assert.Empty(_cni.Obstacles);
    }

    [Fact]
    public void A_directory_where_our_file_should_be_is_a_failure_with_its_name()
    {
        Directory.CreateDirectory(Ours);
        Assert.StartsWith($"write {Ours}: ", Assert.Throws<CniException>(() => _cni.Apply(_plan)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_plugins_that_would_come_later_was_there_first()
    {
        string other = Put("10-kindnet.conflist", Foreign);
        Assert.Equal("", _cni.Apply(_plan));
        Assert.Equal(new(other, false), _cni.InUse);
        Assert.Equal(["10-kindnet.conflist"], Names());

        File.Delete(other);
        Assert.Equal($"wrote {Ours}", _cni.Apply(_plan));
        Put("10-kindnet.conflist", Foreign);
        Assert.Equal(("", new(Ours, true)), (_cni.Apply(_plan), _cni.InUse!));
        File.Delete(Ours);
        Assert.Equal($"wrote {Ours}", _cni.Apply(_plan));
    }

    [Fact]
    public void A_directory_that_the_host_removed_under_our_mount_is_told_with_the_cure()
    {
        DirectoryInfo gone = Directory.CreateDirectory(_folder["net.d"]);
        using var holder = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("sleep", "600") { WorkingDirectory = gone.FullName })!;
        try
        {
            gone.Delete();
            string path = $"/proc/{holder.Id}/cwd";
            using CniConfiguration cni = new(new() { ConfigDirectory = path, BinDirectory = _folder["bin"] }, Conflist.Format);
            Assert.EndsWith($"{path} was removed on the host while it is mounted here: restart this pod, which creates and mounts it again",
                Assert.Throws<CniException>(() => cni.Apply(_plan)).Message, StringComparison.Ordinal);
        }
        finally
        {
            holder.Kill();
        }
    }

    private string Ours => _folder["net.d/10-hostgw.conflist"];

    private string Put(string name, string text)
    {
        Directory.CreateDirectory(_folder["net.d"]);
        string path = _folder[$"net.d/{name}"];
        File.WriteAllText(path, text);
        return path;
    }

    private string[] Names() => [.. Directory.EnumerateFileSystemEntries(_folder["net.d"]).Select(p => Path.GetFileName(p)!).Order(StringComparer.Ordinal)];

    private CniConfiguration Open(bool takeOver = false)
    {
        _cni?.Dispose();
        return new(new() { ConfigDirectory = _folder["net.d"], BinDirectory = _folder["bin"], TakeOver = takeOver }, Conflist.Format);
    }
}
