using HostGw.Cli;
using HostGw.Tests.Kubernetes;

namespace HostGw.Tests.Cli;

public sealed class LeftDirectoriesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string State => _folder["state"];

    private string Addresses => _folder["ipam"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_state_directory_that_holds_nothing_else_is_removed_and_one_that_is_not_there_is_not_named()
    {
        Given(State, "uplinks");
        Given(State, "uplinks.tmp");
        Assert.Equal([$"removed {State}"], LeftDirectories.RemoveState(State));
        Assert.False(Directory.Exists(State));
        Assert.Empty(LeftDirectories.RemoveState(State));
    }

    [Fact]
    public void Foreign_files_stay_and_are_named()
    {
        Given(State, "notes.txt");
        Assert.Equal([$"{State} stays, for it holds notes.txt"], LeftDirectories.RemoveState(State));
        Assert.True(File.Exists(Path.Combine(State, "notes.txt")));
    }

    [Fact]
    public void Recorded_addresses_stay_while_pods_have_them()
    {
        Given(Addresses, "hostgw/10.244.1.5", "hostgw/fd00:10:244:1::5", "hostgw/lock", "hostgw/last_reserved_ip.0");
        Assert.Equal(
            [$"{Addresses} stays until the host is rebooted: pods that still run have 2 of the addresses recorded there"],
            LeftDirectories.RemovePodAddresses(Addresses, removedCni: true));
        Assert.True(File.Exists(Path.Combine(Addresses, "hostgw/10.244.1.5")));
    }

    [Fact]
    public void Without_pods_the_directory_is_removed_and_another_networks_is_not()
    {
        Given(Addresses, "hostgw/lock", "hostgw/last_reserved_ip.0");
        Assert.Equal([$"removed {Addresses}"], LeftDirectories.RemovePodAddresses(Addresses, removedCni: false));
        Assert.False(Directory.Exists(Addresses));

        Given(Addresses, "hostgw/lock", "other/10.1.0.5");
        Assert.Equal([$"{Addresses} stays, for it holds other"], LeftDirectories.RemovePodAddresses(Addresses, removedCni: false));
        Assert.True(File.Exists(Path.Combine(Addresses, "other/10.1.0.5")));
    }

    [Fact]
    public void What_a_pod_cannot_see_is_said_where_there_was_a_configuration()
    {
        Assert.Single(LeftDirectories.RemovePodAddresses(Addresses, removedCni: true));
        Assert.Empty(LeftDirectories.RemovePodAddresses(Addresses, removedCni: false));
    }

    private static void Given(string directory, params string[] files)
    {
        foreach (string file in files)
        {
            string path = Path.Combine(directory, file);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, "");
        }
    }
}
