using HostGw.Kubernetes;
using HostGw.Tests.Nodes;

namespace HostGw.Tests.Kubernetes;

public class OldServerTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_server_without_http2_and_with_an_intermediate_authority_is_understood()
    {
        await using var server = new OldServer("{}");
        using ApiClient client = Client(server, server.AuthorityPem);
        using ApiResponse response = await client.GetProtobufAsync("/api/v1/nodes?resourceVersion=0", Cancel);
        Assert.False(response.IsProtobuf);
        Assert.StartsWith("GET /api/v1/nodes?resourceVersion=0 HTTP/1.1\r\n", server.Request, StringComparison.Ordinal);
        Assert.Contains("Authorization: Bearer t0k3n\r\n", server.Request, StringComparison.Ordinal);
        Assert.DoesNotContain("Cookie", server.Request, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_intermediate_authority_of_another_server_is_not_trusted()
    {
        await using var server = new OldServer("{}");
        await using var other = new OldServer("{}");
        using ApiClient client = Client(server, other.AuthorityPem);
        var e = await Assert.ThrowsAsync<ApiException>(() => client.GetProtobufAsync("/api/v1/nodes?resourceVersion=0", Cancel));
        Assert.Contains("not trusted", e.Message, StringComparison.Ordinal);
        Assert.Equal("", server.Request);
    }

    private static ApiClient Client(OldServer server, string pem) => new(
        new() { Server = new(server.Uri), CertificateAuthority = CredentialSource.Inline(pem), Token = CredentialSource.Inline("t0k3n") },
        "1.2.3",
        PatientTime.OfClient);
}
