using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using HostGw.FakeApi;

namespace HostGw.Tests.FakeApi;

public sealed class AccessTests : FakeApiTest
{
    private const string Nodes = "/api/v1/nodes";

    protected override FakeApiOptions Options =>
        new() { Listen = [new(IPAddress.Loopback, 0), new(IPAddress.IPv6Loopback, 0)], ServerNames = ["api.example.com", "192.0.2.10"] };

    [Fact]
    public async Task Nobody_is_403_and_a_stranger_401_but_both_may_ask_for_health_and_version()
    {
        foreach (string? token in new[] { null, "wrong" })
        {
            Client.Token = token;
            Answer refused = await Client.GetAsync(Nodes);
            Assert.Equal(token is null ? (403, "Forbidden") : (401, "Unauthorized"), (refused.Code, refused.Reason));
            Assert.Equal("ok", (await Client.GetAsync("/readyz")).Text);
            Assert.Equal("1", (string?)(await Client.GetAsync("/version")).Json["major"]);
        }
    }

    [Fact]
    public async Task Tokens_rotate_expire_and_run_out()
    {
        Api.RotateToken();
        Assert.Equal(401, (await Client.GetAsync(Nodes)).Code);
        Client.Token = Api.Token;
        Assert.Equal(200, (await Client.GetAsync(Nodes)).Code);

        Client.Token = Api.IssueToken("short", TimeSpan.Zero);
        Assert.Equal(401, (await Client.GetAsync(Nodes)).Code);
        Client.Token = Api.IssueToken("someone");
        Assert.Equal(200, (await Client.GetAsync(Nodes)).Code);
        Assert.Equal("someone", Api.Requests[^1].User);
        Api.ExpireToken(Client.Token);
        Assert.Equal(401, (await Client.GetAsync(Nodes)).Code);
    }

    [Theory]
    [InlineData(1, 200)]
    [InlineData(-1, 401)]
    public async Task A_client_certificate_is_a_user_while_it_is_valid(int hours, int code)
    {
        string config = Api.Kubeconfig(new() { User = "cert-user", ClientCertificate = true, CertificateLifetime = TimeSpan.FromHours(hours) });
        using X509Certificate2 certificate = X509Certificate2.CreateFromPem(Data(config, "client-certificate-data"), Data(config, "client-key-data"));
        using var client = new RawClient(Api, certificate: certificate);
        Assert.Equal(code, (await client.GetAsync(Nodes)).Code);
        Assert.Equal(code == 200 ? "cert-user" : "", Api.Requests[^1].User);
    }

    [Fact]
    public async Task The_certificate_names_what_it_was_asked_to_and_changes_when_rotated()
    {
        X509Certificate2 first = await ServerCertificateAsync("api.example.com");
        Assert.True(first.MatchesHostname("127.0.0.1") && first.MatchesHostname("localhost") && first.MatchesHostname("192.0.2.10"));
        Assert.False(first.MatchesHostname("elsewhere.example.com"));
        Api.RotateCertificate();
        Assert.NotEqual(first.Thumbprint, (await ServerCertificateAsync("api.example.com")).Thumbprint);
        Assert.Equal(200, (await Client.GetAsync(Nodes)).Code);
    }

    [Fact]
    public async Task It_listens_on_every_endpoint()
    {
        foreach (IPEndPoint endpoint in Api.Endpoints)
        {
            using var socket = new TcpClient(endpoint.AddressFamily);
            await socket.ConnectAsync(endpoint, TestContext.Current.CancellationToken);
        }
        Assert.Equal(2, Api.Endpoints.Count(e => e.Port > 0));
    }

    [Fact]
    public async Task What_is_forbidden_is_403_in_the_servers_words()
    {
        Api.Faults.Forbid(r => r.IsNodeList);
        Client.Token = Api.IssueToken("bob");
        Answer refused = await Client.GetAsync(Nodes);
        Assert.Equal((403, "Forbidden"), (refused.Code, refused.Reason));
        Assert.Equal("nodes is forbidden: User \"bob\" cannot list resource \"nodes\" in API group \"\" at the cluster scope", refused.Message);
        Api.Faults.Clear();
        Assert.Equal(200, (await Client.GetAsync(Nodes)).Code);
    }

    [Fact]
    public async Task Files_for_agents_hold_what_works()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("hostgw-fake-api");
        try
        {
            string tokenFile = Path.Combine(folder.FullName, "token-of-a-user");
            Api.WriteKubeconfig(Path.Combine(folder.FullName, "config"), new() { User = "filed", TokenFile = tokenFile });
            Assert.Contains($"tokenFile: {tokenFile}", File.ReadAllText(Path.Combine(folder.FullName, "config")), StringComparison.Ordinal);
            Client.Token = File.ReadAllText(tokenFile);
            Assert.Equal(200, (await Client.GetAsync(Nodes)).Code);

            Api.WriteServiceAccount(folder.FullName);
            Client.Token = File.ReadAllText(Path.Combine(folder.FullName, "token"));
            Assert.Equal(200, (await Client.GetAsync(Nodes)).Code);
            Assert.Equal(Api.CaPem, File.ReadAllText(Path.Combine(folder.FullName, "ca.crt")));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private async Task<X509Certificate2> ServerCertificateAsync(string name)
    {
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(Api.Endpoints[0], TestContext.Current.CancellationToken);
        X509Certificate2? seen = null;
        await using var tls = new System.Net.Security.SslStream(tcp.GetStream(), false, (_, certificate, _, _) =>
        {
            seen = X509CertificateLoader.LoadCertificate(certificate!.GetRawCertData());
            return seen.Issuer == "CN=hostgw-fake-api";
        });
        await tls.AuthenticateAsClientAsync(name);
        return seen!;
    }

    private static string Data(string config, string field)
    {
        string line = config.Split('\n').Single(l => l.Contains(field + ":", StringComparison.Ordinal));
        return Encoding.UTF8.GetString(Convert.FromBase64String(line.Split(':')[1].Trim()));
    }
}
