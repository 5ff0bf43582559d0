using HostGw.FakeApi;
using HostGw.Kubernetes;
using HostGw.Tests.FakeApi;

namespace HostGw.Tests.Kubernetes;

/// <summary>Whom requests trust and what they show, the same on every path.</summary>
public sealed class ApiTrustTests : FakeApiTest
{
    public static TheoryData<ApiVerb> Verbs => [.. Enum.GetValues<ApiVerb>()];

    [Theory]
    [MemberData(nameof(Verbs))]
    public async Task A_certificate_of_the_right_authority_for_another_name_is_refused(ApiVerb verb)
    {
        using ApiClient client = Kubeconfig(ExpectName("nobody.example"));
        ApiException e = await RefusedAsync(client, verb);
        Assert.Contains("not for 'nobody.example' but for localhost", e.Message, StringComparison.Ordinal);
        Assert.Contains("tls-server-name", e.Message, StringComparison.Ordinal);
        Assert.Empty(Api.Requests);
        Assert.Empty(Api.Events);
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public async Task The_name_in_the_kubeconfig_is_the_expected_one(ApiVerb verb)
    {
        PutNodes("a");
        using ApiClient client = Kubeconfig(ExpectName("kubernetes.default.svc"));
        await client.DoAsync(verb);
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public async Task A_certificate_of_an_unknown_authority_is_refused_until_the_renewed_file_names_it(ApiVerb verb)
    {
        PutNodes("a");
        await using FakeApiServer stranger = await FakeApiServer.StartAsync();
        using ApiClient client = ServiceAccount();
        string ca = Folder.Write("sa/ca.crt", stranger.CaPem);
        Assert.Contains($"not trusted by the certificate authority {ca}", (await RefusedAsync(client, verb)).Message, StringComparison.Ordinal);
        Assert.Empty(Api.Requests);

        Folder.Write("sa/ca.crt", $"# both, while the authority changes\n{stranger.CaPem}\n{Api.CaPem}\n");
        await client.DoAsync(verb);
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public async Task An_intermediate_authority_may_be_the_end_of_trust(ApiVerb verb)
    {
        await using var server = new OldServer("{}");
        using ApiClient client = ApiVerbs.Client(new() { Server = new(server.Uri), CertificateAuthority = CredentialSource.Inline(server.AuthorityPem) });
        await client.DoAsync(verb);
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public async Task A_renewed_token_file_is_used_at_once(ApiVerb verb)
    {
        PutNodes("a");
        using ApiClient client = ServiceAccount();
        await client.DoAsync(verb);
        Api.Faults.Answer(401, where: _ =>
        {
            File.WriteAllText(Folder["sa/token"], Api.RotateToken());
            return true;
        });
        await client.DoAsync(verb);
        Assert.Equal(401, Api.Requests[^2].Code);
        Assert.InRange(Api.Requests[^1].Code, 200, 201);
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public async Task Redirects_are_not_followed(ApiVerb verb)
    {
        Api.Faults.Answer(302);
        using ApiClient client = ServiceAccount();
        Assert.Contains("Redirects are not followed", (await RefusedAsync(client, verb)).Message, StringComparison.Ordinal);
        Assert.Single(Api.Requests);
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public async Task A_refused_token_is_named_and_not_shown(ApiVerb verb)
    {
        using ApiClient client = ServiceAccount("hunter2");
        ApiException e = await RefusedAsync(client, verb);
        Assert.Equal((HttpStatusCode.Unauthorized, "Unauthorized"), (e.StatusCode, e.Reason));
        Assert.Contains(Folder["sa/token"], e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", e.ToString(), StringComparison.Ordinal);
        Assert.Single(Api.Requests);
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public async Task A_renewed_client_certificate_is_shown_at_once(ApiVerb verb)
    {
        PutNodes("a");
        Api.WriteKubeconfig(Folder["config"], new() { ClientCertificate = true, User = "first" });
        Api.WriteKubeconfig(Folder["renewed"], new() { ClientCertificate = true, User = "second" });
        (string certificate, string key) = Pem("config");
        using ApiClient client = ApiVerbs.Client(new()
        {
            Server = Api.Uri,
            CertificateAuthority = CredentialSource.Inline(Api.CaPem),
            ClientCertificate = CredentialSource.File(Folder.Write("tls.crt", certificate)),
            ClientKey = CredentialSource.File(Folder.Write("tls.key", key)),
        });
        await client.DoAsync(verb);

        (certificate, key) = Pem("renewed");
        Folder.Write("tls.crt", certificate);
        Folder.Write("tls.key", key);
        await client.DoAsync(verb);
        Assert.Equal(["first", "second"], Api.Requests.Select(r => r.User));

        (string, string) Pem(string file)
        {
            var configuration = ApiConfiguration.BuildConfigFromConfigFile(Folder[file]);
            return (configuration.ClientCertificate!.Read(), configuration.ClientKey!.Read());
        }
    }

    [Theory]
    [InlineData(ApiVerb.TypedRead)]
    [InlineData(ApiVerb.TypedWrite)]
    public async Task Garbage_is_an_error_of_the_server(ApiVerb verb)
    {
        Api.Faults.AnswerGarbage();
        using ApiClient client = ServiceAccount();
        Assert.Contains("answer is not a", (await RefusedAsync(client, verb)).Message, StringComparison.Ordinal);
    }

    private static Task<ApiException> RefusedAsync(ApiClient client, ApiVerb verb) =>
        Assert.ThrowsAsync<ApiException>(() => client.DoAsync(verb));

    private string ExpectName(string name) =>
        string.Join('\n', Api.Kubeconfig().Split('\n').SelectMany(l =>
            l.TrimStart().StartsWith("server:", StringComparison.Ordinal) ? (string[])[l, $"{l[..l.IndexOf('s')]}tls-server-name: {name}"] : [l]));

    private ApiClient Kubeconfig(string text) => ApiVerbs.Client(ApiConfiguration.BuildConfigFromConfigFile(Folder.Write("config", text)));

    private ApiClient ServiceAccount(string? token = null)
    {
        Api.WriteServiceAccount(Folder["sa"], token);
        return ApiVerbs.Client(ApiConfiguration.InClusterConfig(null, null, Folder["sa"], Api.Uri.ToString()));
    }
}
