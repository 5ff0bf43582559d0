using System.Globalization;
using HostGw.Digest;
using HostGw.Hosting;
using HostGw.Planning;
using HostGw.Tests.FakeApi;
using HostGw.Tests.Kubernetes;
using HostGw.Tests.Settings;
using NodeSnapshot = HostGw.Nodes.NodeSnapshot;

namespace HostGw.Tests.Digest;

/// <summary>A command that lists the digest once, and watches nothing.</summary>
public sealed class DigestListTests : FakeApiTest
{
    // It reads the Lease only once, and has the server's clock alone.
    [Theory]
    [InlineData(5, "")]
    [InlineData(7, "its Lease hostgw-digest was last renewed at ")]
    [InlineData(null, "there is no Lease hostgw-digest in namespace hostgw-digest")]
    public async Task A_Lease_that_was_renewed_long_ago_is_stale(int? minutesAgo, string reason)
    {
        PutNodes("self", "other");
        if (minutesAgo is { } minutes)
            Renew(DateTimeOffset.UtcNow.AddMinutes(-minutes));
        Api.WriteKubeconfig(Folder["config"]);
        Given settings = new() { Flags = $"--nodes-source digest --kubeconfig {Folder["config"]} --node-name self" };

        (NodeSnapshot nodes, _) = await ApiAccess.ListAsync(settings.Read(), TestContext.Current.CancellationToken);

        DigestHealth health = nodes.Digest!;
        Assert.Equal("self", Assert.Single(nodes.Nodes).Name);
        Assert.Equal((512, true, minutesAgo is null), (health.Rejected.Length, health.IsPartial, health.RenewedAt is null));
        Assert.Equal(reason.Length > 0, health.Stale is not null);
        Assert.StartsWith(reason, health.Stale ?? "", StringComparison.Ordinal);
    }

    private void Renew(DateTimeOffset at) => Api.Objects.Put(
        $$$"""
        {"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"{{{ShardFormat.Lease}}}","namespace":"hostgw-digest"},
         "spec":{"renewTime":"{{{at.ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture)}}}"}}
        """);
}
