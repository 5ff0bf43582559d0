using System.Text.Json.Nodes;
using HostGw.FakeApi;
using HostGw.Kubernetes;
using HostGw.Tests.FakeApi;
using HostGw.Tests.Reconciliation;

namespace HostGw.Tests.Kubernetes;

/// <summary>Credential plugins that are run for real.</summary>
public sealed class ExecPluginTests : FakeApiTest
{
    private const string V1 = "client.authentication.k8s.io/v1";

    private readonly ManualTime _time = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private int Runs => File.Exists(Folder["runs"]) ? File.ReadAllLines(Folder["runs"]).Length : 0;

    [Fact]
    public async Task Arguments_with_spaces_and_quotes_and_the_environment_arrive_as_they_are()
    {
        string command = Script("""
            for a in "$@"; do printf '%s\n' "$a" >> DIR/args; done
            printf '%s' "$GREETING" > DIR/env
            cat DIR/answer
            """);
        Answer(Api.Token);
        ExecPlugin plugin = new(V1, command, ["get token", "a \"b\" $HOME", "", "it's"]) { Environment = [new("GREETING", "two words")] };
        (Credential credential, DateTimeOffset? expires) = await plugin.RunAsync(Configuration(plugin), _time, Cancel);
        Assert.Equal((Api.Token, null), (credential.Token, expires));
        Assert.Equal(["get token", "a \"b\" $HOME", "", "it's"], File.ReadAllLines(Folder["args"]));
        Assert.Equal("two words", File.ReadAllText(Folder["env"]));
    }

    [Fact]
    public async Task How_the_agent_serves_its_sockets_is_no_matter_of_the_program()
    {
        string command = Script("env > DIR/env; cat DIR/answer");
        Answer(Api.Token);
        ExecPlugin plugin = new(V1, command, []);
        // The sockets of this process are in use since the API server was started, so that nothing changes for them.
        SocketThread.HandlesWhatItReceives();
        try
        {
            await plugin.RunAsync(Configuration(plugin), _time, Cancel);
        }
        finally
        {
            Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", null);
            Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_THREAD_COUNT", null);
        }
        Assert.DoesNotContain("DOTNET_SYSTEM_NET_SOCKETS", File.ReadAllText(Folder["env"]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(V1, false)]
    [InlineData("client.authentication.k8s.io/v1beta1", true)]
    public async Task It_is_told_about_the_cluster_if_it_asks(string version, bool provides)
    {
        string command = Script("""printf '%s' "$KUBERNETES_EXEC_INFO" > DIR/info; cat DIR/answer""");
        Answer("t", version: version);
        ExecPlugin plugin = new(version, command, []) { ProvideClusterInfo = provides };
        await plugin.RunAsync(Configuration(plugin), _time, Cancel);

        JsonNode info = JsonNode.Parse(File.ReadAllText(Folder["info"]))!;
        Assert.Equal(("ExecCredential", version, false), ((string)info["kind"]!, (string)info["apiVersion"]!, (bool)info["spec"]!["interactive"]!));
        Assert.Equal(provides, info["spec"]!["cluster"] is not null);
        if (provides)
        {
            Assert.Equal(Api.Uri.ToString().TrimEnd('/'), (string)info["spec"]!["cluster"]!["server"]!);
            byte[] authority = Convert.FromBase64String((string)info["spec"]!["cluster"]!["certificate-authority-data"]!);
            Assert.Equal(Api.CaPem, System.Text.Encoding.UTF8.GetString(authority));
        }
    }

    [Fact]
    public async Task A_hundred_kilobytes_of_output_on_both_streams_do_not_block_it()
    {
        string command = Script("""head -c 200000 /dev/zero | tr '\0' 'x' >&2; cat DIR/answer""");
        Answer("t", padding: 100_000);
        ExecPlugin plugin = new(V1, command, []);
        Assert.Equal("t", (await plugin.RunAsync(Configuration(plugin), _time, Cancel)).Credential.Token);
    }

    [Fact]
    public async Task One_that_does_not_end_is_ended()
    {
        Task<ApiException> failure = FailureAsync(new(V1, Script("echo $$ > DIR/pid.new; mv DIR/pid.new DIR/pid; sleep 600"), []));
        await EventuallyAsync(() => File.Exists(Folder["pid"]), "it runs");
        string pid = File.ReadAllText(Folder["pid"]).Trim();
        _time.Advance(TimeSpan.FromSeconds(59));
        Assert.False(failure.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Contains("did not end within 60 s", (await failure.WaitAsync(TimeSpan.FromSeconds(60), Cancel)).Message, StringComparison.Ordinal);
        await EventuallyAsync(() => !Directory.Exists($"/proc/{pid}"), "it is gone");
    }

    [Fact]
    public async Task What_it_writes_to_stderr_is_in_the_error_cut_and_on_one_line()
    {
        ExecPlugin plugin = new(V1, Script("""printf 'no session:\nlog in\n' >&2; head -c 5000 /dev/zero | tr '\0' 'x' >&2; exit 3"""), []);
        ApiException e = await FailureAsync(plugin);
        Assert.Contains("failed with exit code 3: no session: log in", e.Message, StringComparison.Ordinal);
        Assert.InRange(e.Message.Length, 500, 800);
    }

    [Fact]
    public async Task However_much_it_writes_to_stderr_the_beginning_is_in_the_error()
    {
        ExecPlugin plugin = new(V1, Script("""echo 'log in' >&2; head -c 6000000 /dev/zero | tr '\0' 'x' >&2; exit 3"""), []);
        Assert.Contains("failed with exit code 3: log in", (await FailureAsync(plugin)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_that_gives_what_has_expired_is_named_with_the_time_when_the_server_refuses_it()
    {
        using ApiClient client = Open(Script("cat DIR/answer"));
        File.WriteAllText(Folder["answer"],
            """{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"t","expirationTimestamp":"2020-01-02T03:04:05Z"}}""");
        ApiException e = await Assert.ThrowsAsync<ApiException>(() => client.DoAsync(ApiVerb.RawRead));
        Assert.Contains("gave, which expired at 2020-01-02T03:04:05Z by this host's clock", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_one_is_named_with_what_to_do()
    {
        ExecPlugin plugin = new(V1, "/no/such/plugin", []) { InstallHint = "apt install it" };
        Assert.Contains("/no/such/plugin", (await FailureAsync(plugin)).Message, StringComparison.Ordinal);
        Assert.Contains("To do: apt install it", (await FailureAsync(plugin)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("hunter2", "is not JSON")]
    [InlineData("""{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"hunter2\ud800"}}""", "is not JSON")]
    [InlineData("{}", "is not an ExecCredential")]
    [InlineData("""{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1alpha1"}""", "has apiVersion client.authentication.k8s.io/v1alpha1")]
    [InlineData("""{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1"}""", "neither a token nor")]
    [InlineData("""{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"hunter2","clientKeyData":"hunter2"}}""", "only one of")]
    [InlineData("""{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"hunter2","expirationTimestamp":"soon"}}""", "RFC 3339")]
    public async Task An_answer_that_is_none_is_described_without_its_secrets(string answer, string words)
    {
        Folder.Write("answer", answer);
        ApiException e = await FailureAsync(new(V1, Script("cat DIR/answer"), []));
        Assert.Contains(words, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", e.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ApiVerb.RawRead)]
    [InlineData(ApiVerb.TypedRead)]
    [InlineData(ApiVerb.TypedWrite)]
    public async Task It_runs_again_before_what_it_gave_expires_and_not_sooner(ApiVerb verb)
    {
        PutNodes("a");
        string command = Script("echo run >> DIR/runs; cat DIR/answer");
        using ApiClient client = Open(command);
        string first = Api.IssueToken("first");
        Answer(first, expires: _time.GetUtcNow().AddSeconds(40));
        await client.DoAsync(verb);
        await client.DoAsync(verb);
        Assert.Equal(1, Runs);

        Answer(Api.IssueToken("second"), expires: _time.GetUtcNow().AddHours(1));
        _time.Advance(TimeSpan.FromSeconds(37));
        Api.ExpireToken(first);
        await client.DoAsync(verb);
        Assert.Equal(2, Runs);
        Assert.Equal(["first", "first", "second"], Api.Requests.Select(r => r.User));
        Assert.DoesNotContain(401, Api.Requests.Select(r => r.Code));
    }

    [Theory]
    [InlineData(ApiVerb.RawRead)]
    [InlineData(ApiVerb.TypedRead)]
    [InlineData(ApiVerb.TypedWrite)]
    public async Task It_runs_again_at_once_when_what_it_gave_is_refused(ApiVerb verb)
    {
        PutNodes("a");
        using ApiClient client = Open(Script("echo run >> DIR/runs; cat DIR/answer"));
        string token = Api.IssueToken("first");
        Answer(token);
        await client.DoAsync(verb);
        Api.ExpireToken(token);
        Answer(Api.IssueToken("second"));
        await client.DoAsync(verb);
        Assert.Equal(2, Runs);
        Assert.Equal(401, Api.Requests[1].Code);

        // One that gives the same again is asked once per request, and named.
        Api.RotateToken();
        Answer("hunter2");
        Api.Faults.Answer(401, times: 2);
        ApiException e = await Assert.ThrowsAsync<ApiException>(() => client.DoAsync(verb));
        Assert.Contains("credential plugin", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", e.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_certificate_that_it_gives_is_shown_and_renewed()
    {
        PutNodes("a");
        using ApiClient client = Open(Script("echo run >> DIR/runs; cat DIR/answer"));
        AnswerCertificate("first", _time.GetUtcNow().AddSeconds(3));
        await client.DoAsync(ApiVerb.RawRead);
        await client.DoAsync(ApiVerb.TypedRead);
        AnswerCertificate("second", _time.GetUtcNow().AddHours(1));
        _time.Advance(TimeSpan.FromSeconds(3));
        await client.DoAsync(ApiVerb.TypedRead);
        await client.DoAsync(ApiVerb.RawRead);
        Assert.Equal(["first", "first", "second", "second"], Api.Requests.Select(r => r.User));
        Assert.Equal(2, Runs);
    }

    [Fact]
    public async Task A_clock_that_is_set_neither_puts_its_next_run_off_nor_makes_one_for_each_request()
    {
        ManualTime time = new();
        using Credentials credentials = new(Configuration(new(V1, Script("echo run >> DIR/runs; cat DIR/answer"), [])), time);
        await GetAsync(1);
        time.SetClock(TimeSpan.FromHours(-50));
        time.Advance(TimeSpan.FromMinutes(58));
        await GetAsync(1);
        time.Advance(TimeSpan.FromMinutes(1));
        await GetAsync(2);

        // What it gives from now on expired a day ago by this clock.
        time.SetClock(TimeSpan.FromHours(75));
        await GetAsync(3, ahead: 25);
        await GetAsync(3, ahead: 25);
        time.Advance(TimeSpan.FromMinutes(1));
        await GetAsync(4, ahead: 25);
        time.SetClock(TimeSpan.FromHours(-25));
        time.Advance(TimeSpan.FromMinutes(1));
        await GetAsync(5);
        time.Advance(TimeSpan.FromMinutes(58));
        await GetAsync(5);

        async Task GetAsync(int runs, int ahead = 0)
        {
            Answer("t", expires: time.GetUtcNow().AddHours(1 - ahead));
            await credentials.GetAsync(Cancel);
            Assert.Equal(runs, Runs);
        }
    }

    private Task<ApiException> FailureAsync(ExecPlugin plugin) =>
        Assert.ThrowsAsync<ApiException>(() => plugin.RunAsync(Configuration(plugin), _time, Cancel));

    private ApiClient Open(string command) => new(Configuration(new(V1, command, [])), "1.2.3", _time);

    private ApiConfiguration Configuration(ExecPlugin plugin) =>
        new() { Server = Api.Uri, CertificateAuthority = CredentialSource.Inline(Api.CaPem), Exec = plugin };

    private string Script(string text)
    {
        string path = Folder.Write("a plugin.sh", "#!/bin/sh\n" + text.Replace("DIR", Folder["."], StringComparison.Ordinal) + "\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    private void Answer(string token, DateTimeOffset? expires = null, string version = V1, int padding = 0) =>
        Answer(new JsonObject { ["token"] = token, ["padding"] = new string('p', padding) }, expires, version);

    private void AnswerCertificate(string user, DateTimeOffset expires)
    {
        Api.WriteKubeconfig(Folder["config"], new() { ClientCertificate = true, User = user });
        var configuration = ApiConfiguration.BuildConfigFromConfigFile(Folder["config"]);
        Answer(new JsonObject
        {
            ["clientCertificateData"] = configuration.ClientCertificate!.Read(),
            ["clientKeyData"] = configuration.ClientKey!.Read(),
        }, expires, V1);
    }

    private void Answer(JsonObject status, DateTimeOffset? expires, string version)
    {
        if (expires is { } at)
            status["expirationTimestamp"] = at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture);
        Folder.Write(
            "answer", new JsonObject { ["kind"] = "ExecCredential", ["apiVersion"] = version, ["status"] = status }.ToJsonString());
    }
}
