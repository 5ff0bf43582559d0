using HostGw.FakeApi;
using HostGw.Kubernetes;
using HostGw.Tests.FakeApi;
using HostGw.Tests.Nodes;

namespace HostGw.Tests.Kubernetes;

public sealed class ApiClientTests : FakeApiTest
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public async Task A_kubeconfig_opens_the_door(bool clientCertificate, bool tokenFile)
    {
        Api.WriteKubeconfig(
            Folder["config"], new() { ClientCertificate = clientCertificate, TokenFile = tokenFile ? Folder["token"] : null });
        using ApiClient client = Open(ApiConfiguration.BuildConfigFromConfigFile(Folder["config"]));
        Assert.Null(client.RemoteAddress);
        Assert.Contains("NodeList", await ListAsync(client), StringComparison.Ordinal);
        Assert.Equal("127.0.0.1", client.RemoteAddress?.ToString());
        Assert.Equal("hostgw-test", Api.Requests[0].User);
    }

    [Fact]
    public async Task A_token_that_was_renewed_behind_our_back_is_read_again_at_once()
    {
        Api.WriteServiceAccount(Folder["sa"]);
        using ApiClient client = Open(ServiceAccount());
        string old = Api.Token;
        Api.Faults.Answer(401, where: _ =>
        {
            File.WriteAllText(Folder["sa/token"], Api.RotateToken());
            return true;
        });
        await ListAsync(client);
        Assert.Equal([401, 200], Api.Requests.Select(r => r.Code));
        Assert.NotEqual(old, Api.Token);
    }

    [Fact]
    public async Task A_wrong_token_is_named_but_not_shown()
    {
        Api.WriteServiceAccount(Folder["sa"], "hunter2");
        using ApiClient client = Open(ServiceAccount());
        var e = await Assert.ThrowsAsync<ApiException>(() => ListAsync(client));
        Assert.Equal(HttpStatusCode.Unauthorized, e.StatusCode);
        Assert.Contains(Folder["sa/token"], e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", e.ToString(), StringComparison.Ordinal);
        Assert.Single(Api.Requests);
    }

    [Theory]
    [InlineData("two\nlines")]
    [InlineData("höß")]
    public async Task A_token_that_is_none_is_not_shown_either(string token)
    {
        Api.WriteServiceAccount(Folder["sa"], token);
        using ApiClient client = Open(ServiceAccount());
        var e = await Assert.ThrowsAsync<ApiException>(() => ListAsync(client));
        Assert.DoesNotContain(token, e.ToString(), StringComparison.Ordinal);
        Assert.Empty(Api.Requests);
    }

    [Theory]
    [InlineData("<h1>502</h1>Authorization: Bearer hunter2-is-a-token", "<h1>502</h1>Authorization: Bearer (the token)")]
    [InlineData("""{"kind":"Status","reason":"hunter2-is-a-token","message":"no hunter2-is-a-token here","code":401}""", "(the token): no (the token) here")]
    public async Task An_answer_that_shows_the_token_is_told_without_it(string body, string told)
    {
        ApiException e = await ErrorAsync(HttpStatusCode.BadGateway, body);
        Assert.Contains(told, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", e.ToString(), StringComparison.Ordinal);
    }

    // Others go on with the sentence.
    [Theory]
    [InlineData(HttpStatusCode.InternalServerError, "answered 500 Odd: not now")]
    [InlineData(HttpStatusCode.Forbidden, "answered 403 Odd: not now. ")]
    public async Task A_full_stop_at_the_end_of_an_answer_stands_once_or_not_at_all(HttpStatusCode code, string told)
    {
        string message = (await ErrorAsync(code, """{"kind":"Status","reason":"Odd","message":"not now."}""")).Message;
        Assert.Contains(told, message, StringComparison.Ordinal);
        Assert.False(message.EndsWith('.') || message.Contains("..", StringComparison.Ordinal), message);
    }

    [Fact]
    public async Task Only_the_given_authority_is_trusted_and_its_file_is_read_anew()
    {
        await using FakeApiServer stranger = await FakeApiServer.StartAsync();
        Api.WriteServiceAccount(Folder["sa"]);
        string ca = Folder.Write("sa/ca.crt", stranger.CaPem);
        using ApiClient client = Open(ServiceAccount());

        var e = await Assert.ThrowsAsync<ApiException>(() => ListAsync(client));
        Assert.Contains($"not trusted by the certificate authority {ca}", e.Message, StringComparison.Ordinal);
        Assert.Empty(Api.Requests);

        Folder.Write("sa/ca.crt", $"# both, while the authority changes\n{stranger.CaPem}\n{Api.CaPem}\n");
        await ListAsync(client);
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("no PEM", "No certificate in")]
    [InlineData("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "Cannot read the certificates in")]
    public async Task A_broken_authority_is_named(string pem, string words)
    {
        Api.WriteServiceAccount(Folder["sa"]);
        Folder.Write("sa/ca.crt", pem);
        using ApiClient client = Open(ServiceAccount());
        Assert.Contains(words, (await Assert.ThrowsAsync<ApiException>(() => ListAsync(client))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_for_another_name_is_refused_until_that_name_is_expected()
    {
        string text = Api.Kubeconfig(new() { Server = $"https://127.0.0.2:{Api.Uri.Port}" });
        await using FakeApiServer other = await FakeApiServer.StartAsync(new() { Listen = [new(IPAddress.Parse("127.0.0.1"), 0)], ServerNames = ["api.example"] });
        string server = $"https://localhost:{other.Uri.Port}";
        string kubeconfig = other.Kubeconfig(new() { Server = server });
        Assert.NotEqual(text, kubeconfig);

        using ApiClient wrong =
            Open(ApiConfiguration.BuildConfigFromConfigFile(Folder.Write("wrong", Named(kubeconfig, server, "nobody.example"))));
        var e = await Assert.ThrowsAsync<ApiException>(() => ListAsync(wrong));
        Assert.Contains("not for 'nobody.example'", e.Message, StringComparison.Ordinal);
        Assert.Contains("api.example", e.Message, StringComparison.Ordinal);

        using ApiClient right =
            Open(ApiConfiguration.BuildConfigFromConfigFile(Folder.Write("right", Named(kubeconfig, server, "api.example"))));
        await ListAsync(right);
    }

    [Fact]
    public async Task Without_an_authority_the_systems_trust_decides_and_insecure_means_insecure()
    {
        Api.WriteKubeconfig(Folder["config"]);
        string[] lines = [.. File.ReadAllLines(Folder["config"])];
        string without = string.Join('\n', lines.Where(l => !l.Contains("certificate-authority-data", StringComparison.Ordinal)));
        using ApiClient system = Open(ApiConfiguration.BuildConfigFromConfigFile(Folder.Write("system", without)));
        Assert.Contains("the system's", (await Assert.ThrowsAsync<ApiException>(() => ListAsync(system))).Message, StringComparison.Ordinal);

        string insecure = string.Join('\n', lines.Select(l => l.Contains("certificate-authority-data", StringComparison.Ordinal) ? l[..l.IndexOf("cert", StringComparison.Ordinal)] + "insecure-skip-tls-verify: true" : l));
        using ApiClient blind = Open(ApiConfiguration.BuildConfigFromConfigFile(Folder.Write("insecure", insecure)));
        await ListAsync(blind);
    }

    [Fact]
    public async Task A_client_certificate_that_has_expired_is_refused_by_the_server()
    {
        Api.WriteKubeconfig(Folder["config"], new() { ClientCertificate = true, CertificateLifetime = TimeSpan.FromSeconds(-1) });
        using ApiClient client = Open(ApiConfiguration.BuildConfigFromConfigFile(Folder["config"]));
        await Assert.ThrowsAsync<ApiException>(() => ListAsync(client));
    }

    [Fact]
    public async Task A_refusal_says_what_is_missing()
    {
        Api.Faults.Forbid(r => r.IsNodeList);
        using ApiClient client = Open();
        var e = await Assert.ThrowsAsync<ApiException>(() => ListAsync(client));
        Assert.Equal((HttpStatusCode.Forbidden, "Forbidden"), (e.StatusCode, e.Reason));
        Assert.Contains("'list' and 'watch' on 'nodes'", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(7, 7)]
    [InlineData(86400, 300)]
    public async Task A_busy_server_says_when_to_come_back_at_most_five_minutes_later(int asked, int seconds)
    {
        Api.Faults.Answer(429, retryAfter: TimeSpan.FromSeconds(asked));
        using ApiClient client = Open();
        Assert.Equal(TimeSpan.FromSeconds(seconds), (await Assert.ThrowsAsync<ApiException>(() => ListAsync(client))).RetryAfter);
    }

    [Fact]
    public async Task Redirects_are_not_followed()
    {
        Api.Faults.Answer(302);
        using ApiClient client = Open();
        Assert.Contains("Redirects are not followed", (await Assert.ThrowsAsync<ApiException>(() => ListAsync(client))).Message, StringComparison.Ordinal);
        Assert.Single(Api.Requests);
    }

    [Fact]
    public async Task A_closed_port_and_an_unknown_name_are_told_apart()
    {
        Uri uri = Api.Uri;
        await Api.StopListeningAsync();
        using ApiClient client = Open();
        Assert.Contains($"Cannot connect to 127.0.0.1:{uri.Port}", (await Assert.ThrowsAsync<ApiException>(() => ListAsync(client))).Message, StringComparison.Ordinal);

        using ApiClient lost = Open(new() { Server = new("https://no-such-host.invalid") });
        Assert.Contains("Cannot resolve no-such-host.invalid", (await Assert.ThrowsAsync<ApiException>(() => ListAsync(lost))).Message, StringComparison.Ordinal);
    }

    private static string Named(string kubeconfig, string server, string name)
    {
        string[] lines = kubeconfig.Split('\n');
        int at = Array.FindIndex(lines, l => l.Contains(server, StringComparison.Ordinal));
        string indent = lines[at][..lines[at].IndexOf("server", StringComparison.Ordinal)];
        return string.Join('\n', [.. lines[..at], lines[at], $"{indent}tls-server-name: {name}", .. lines[(at + 1)..]]);
    }

    private ApiConfiguration ServiceAccount() =>
        ApiConfiguration.InClusterConfig(null, null, Folder["sa"], Api.Uri.ToString());

    private ApiClient Open(ApiConfiguration? configuration = null)
    {
        if (configuration is null)
        {
            Api.WriteServiceAccount(Folder["sa"]);
            configuration = ServiceAccount();
        }
        return new(configuration, "1.2.3", PatientTime.OfClient);
    }

    private static async Task<ApiException> ErrorAsync(HttpStatusCode code, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "https://192.0.2.1")
        {
            Headers = { Authorization = new("Bearer", "hunter2-is-a-token") },
        };
        using var response = new HttpResponseMessage(code) { RequestMessage = request, Content = new StringContent(body) };
        return await ApiErrors.ReadAsync(
            response, new() { Server = new("https://192.0.2.1") }, new(null), PatientTime.OfClient, Cancel);
    }

    private static async Task<string> ListAsync(ApiClient client)
    {
        using ApiResponse response = await client.GetProtobufAsync("/api/v1/nodes?resourceVersion=0", Cancel);
        using var reader = new StreamReader(response.Body);
        return await reader.ReadToEndAsync(Cancel);
    }
}
