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
    // It reads the Lease only once: what counts is when the API server wrote it, by the clock that dates its answers.
    [Theory]
    [InlineData(5, 0, "")]
    [InlineData(7, 0, "its Lease hostgw-digest was last renewed at ")]
    [InlineData(5, -20, "")] // the clock of the digest's host is behind
    [InlineData(7, 20, "its Lease hostgw-digest was last renewed at ")] // and ahead
    [InlineData(null, 0, "there is no Lease hostgw-digest in namespace hostgw-digest")]
    public async Task A_Lease_that_was_renewed_long_ago_is_stale(int? minutesAgo, int clock, string reason)
    {
        PutNodes("self", "other");
        DateTimeOffset writtenAt = DateTimeOffset.UtcNow.AddMinutes(-minutesAgo ?? 0);
        if (minutesAgo is not null)
            Renew(writtenAt.AddMinutes(clock), writtenAt);

        DigestHealth health = await ListAsync();

        Assert.Equal((512, true, minutesAgo is null), (health.Rejected.Length, health.IsPartial, health.RenewedAt is null));
        Assert.Equal(reason.Length > 0, health.Stale is not null);
        Assert.StartsWith(reason, health.Stale ?? "", StringComparison.Ordinal);
        if (minutesAgo is 7)
            Assert.EndsWith(string.Create(CultureInfo.InvariantCulture, $"{writtenAt:HH:mm:ss} UTC"), health.Stale, StringComparison.Ordinal);
    }

    // Somebody else has labelled it since; or the server says nothing of writes.
    [Theory]
    [InlineData("""{"f:metadata":{"f:labels":{"f:x":{}}}}""", true)]
    [InlineData("", false)]
    public async Task Only_who_renewed_it_counts(string otherFields, bool isStale)
    {
        PutNodes("self");
        DateTimeOffset longAgo = DateTimeOffset.UtcNow.AddHours(-1);
        Renew(longAgo, isStale ? longAgo : null, otherFields);
        Assert.Equal(isStale, (await ListAsync()).Stale is not null);
    }

    private async Task<DigestHealth> ListAsync()
    {
        Api.WriteKubeconfig(Folder["config"]);
        Given settings = new() { Flags = $"--nodes-source digest --kubeconfig {Folder["config"]} --node-name self" };
        (NodeSnapshot nodes, _) = await ApiAccess.ListAsync(settings.Read(), TestContext.Current.CancellationToken);
        Assert.Equal("self", Assert.Single(nodes.Nodes).Name);
        return nodes.Digest!;
    }

    /// <param name="renewTime">By the clock of the digest's host.</param>
    /// <param name="writtenAt">By the API server's; null: it does not say.</param>
    /// <param name="otherFields">What somebody else has written just now.</param>
    private void Renew(DateTimeOffset renewTime, DateTimeOffset? writtenAt, string otherFields = "")
    {
        string[] managed =
        [
            .. writtenAt is { } at ? [Managed("hostgw", at, """{"f:spec":{"f:renewTime":{}}}""")] : (string[])[],
            .. otherFields.Length > 0 ? [Managed("kubectl-label", DateTimeOffset.UtcNow, otherFields)] : (string[])[],
        ];
        Api.Objects.Put(
            $$$"""
            {"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"{{{ShardFormat.Lease}}}",
             "namespace":"hostgw-digest","managedFields":[{{{string.Join(',', managed)}}}]},
             "spec":{"renewTime":"{{{renewTime.ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture)}}}"}}
            """);
    }

    private static string Managed(string manager, DateTimeOffset at, string fields) =>
        $$"""
        {"manager":"{{manager}}","operation":"Update","apiVersion":"coordination.k8s.io/v1","fieldsType":"FieldsV1",
         "time":"{{at.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture)}}","fieldsV1":{{fields}}}
        """;
}
