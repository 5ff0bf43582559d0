using System.Buffers.Text;
using System.Text;
using HostGw.FakeApi;
using HostGw.Kubernetes;
using HostGw.Tests.FakeApi;
using HostGw.Tests.Nodes;

namespace HostGw.Tests.Kubernetes;

public sealed class CredentialTimesTests : FakeApiTest
{
    [Theory]
    [InlineData("""{"exp":1767355200,"nbf":1767351600}""", "2026-01-02T11:00:00Z..2026-01-02T12:00:00Z")]
    [InlineData("""{"exp":1767355200}""", "0001-01-01T00:00:00Z..2026-01-02T12:00:00Z")]
    [InlineData("""{"nbf":1767351600}""", null)]
    [InlineData("""{"exp":"soon"}""", null)]
    [InlineData("""{"exp":99999999999999999}""", null)]
    [InlineData("[]", null)]
    [InlineData("""{"\ud800":1,"exp":1767355200}""", null)]
    [InlineData("{", null)]
    public void A_token_says_when_it_is_valid(string claims, string? valid)
    {
        (DateTimeOffset From, DateTimeOffset Until)? times = CredentialTimes.OfToken($"eyJ9.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}.c2ln");
        Assert.Equal(valid, times is { } t ? $"{t.From.UtcDateTime:yyyy-MM-ddTHH:mm:ssZ}..{t.Until.UtcDateTime:yyyy-MM-ddTHH:mm:ssZ}" : null);
    }

    [Theory]
    [InlineData("abcdef")]
    [InlineData("a.%%%.c")]
    public void A_token_of_another_kind_says_nothing(string token) => Assert.Null(CredentialTimes.OfToken(token));

    [Fact]
    public void Certificates_are_named_and_nothing_of_a_secret_is()
    {
        Api.WriteKubeconfig(Folder["config"], new() { ClientCertificate = true, CertificateLifetime = TimeSpan.FromHours(-1) });
        (string What, DateTimeOffset From, DateTimeOffset Until)[] times =
            [.. CredentialTimes.Read(ApiConfiguration.BuildConfigFromConfigFile(Folder["config"]))];

        Assert.Equal(["the client certificate (given inline)", "the certificate authority (given inline)"], times.Select(t => t.What));
        Assert.True(times[0].Until < TimeProvider.System.GetUtcNow() && times[1].Until > TimeProvider.System.GetUtcNow());
    }

    [Fact]
    public async Task The_servers_clock_is_that_of_its_answers()
    {
        Api.WriteKubeconfig(Folder["config"]);
        using ApiClient client = new(ApiConfiguration.BuildConfigFromConfigFile(Folder["config"]), "1", new Late());
        Assert.Null(client.ServerClock);
        using ApiResponse _ = await client.GetProtobufAsync("/api/v1/nodes?resourceVersion=0", TestContext.Current.CancellationToken);
        Assert.InRange(client.ServerClock!.Value.TotalMinutes, 59, 61);
    }

    private sealed class Late : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() - TimeSpan.FromHours(1);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            PatientTime.OfClient.CreateTimer(callback, state, dueTime, period);
    }
}
