using System.Text;
using HostGw.Kubernetes;

namespace HostGw.Tests.Kubernetes;

public sealed class ApiConfigurationTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("10.96.0.1", "443", "https://10.96.0.1/")]
    [InlineData("fd00::1", "6443", "https://[fd00::1]:6443/")]
    [InlineData("[fd00::1]", "6443", "https://[fd00::1]:6443/")]
    [InlineData("api.example", "6443", "https://api.example:6443/")]
    public void A_pod_finds_its_api_server(string host, string port, string server)
    {
        string directory = Path.GetDirectoryName(_folder.Write("sa/token", " secret \n"))!;
        var configuration = ApiConfiguration.InClusterConfig(host, port, directory, null);
        Assert.Equal(server, configuration.Server.AbsoluteUri);
        Assert.Equal("secret", configuration.Token!.Read());
        Assert.Equal(Path.Combine(directory, "ca.crt"), configuration.CertificateAuthority!.Path);
    }

    [Fact]
    public void The_server_of_a_pod_can_be_overridden()
    {
        string directory = Path.GetDirectoryName(_folder.Write("sa/token", "secret"))!;
        Assert.Equal(6443, ApiConfiguration.InClusterConfig(null, null, directory, "https://192.0.2.1:6443").Server.Port);
    }

    [Fact]
    public void Outside_a_pod_it_says_so()
    {
        Assert.Contains("--kubeconfig", Assert.Throws<ApiConfigurationException>(
            () => ApiConfiguration.InClusterConfig(null, null, _folder["x"], null)).Message, StringComparison.Ordinal);
        Assert.Contains("service account", Assert.Throws<ApiConfigurationException>(
            () => ApiConfiguration.InClusterConfig("h", "1", _folder["x"], null)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Paths_of_a_kubeconfig_are_relative_to_it()
    {
        string path = Kubeconfig("certificate-authority: pki/ca.crt", "client-certificate: ../a.crt, client-key: /abs/a.key, tokenFile: token");
        var configuration = ApiConfiguration.BuildConfigFromConfigFile(path);
        Assert.Equal(_folder["conf/pki/ca.crt"], configuration.CertificateAuthority!.Path);
        Assert.Equal(_folder["a.crt"], configuration.ClientCertificate!.Path);
        Assert.Equal("/abs/a.key", configuration.ClientKey!.Path);
        Assert.Equal(_folder["conf/token"], configuration.Token!.Path);
    }

    [Fact]
    public void Data_wins_over_files_and_the_token_file_over_the_token()
    {
        string data = Convert.ToBase64String(Encoding.UTF8.GetBytes("PEM"));
        string path = Kubeconfig($"certificate-authority: x, certificate-authority-data: {data}, tls-server-name: api", "token: t, tokenFile: f");
        var configuration = ApiConfiguration.BuildConfigFromConfigFile(path, "https://other:1");
        Assert.Equal("PEM", configuration.CertificateAuthority!.Read());
        Assert.NotNull(configuration.Token!.Path);
        Assert.Equal("api", configuration.TlsServerName);
        Assert.Equal("https://other:1/", configuration.Server.AbsoluteUri);
    }

    [Fact]
    public void A_kubeconfig_may_be_json_and_have_no_user()
    {
        string path = _folder.Write("json", """
            {"current-context":"c","contexts":[{"name":"c","context":{"cluster":"k"}}],
             "clusters":[{"name":"other","cluster":{"server":"https://x"}},{"name":"k","cluster":{"server":"http://127.0.0.1:8001/base"}}]}
            """);
        Assert.Equal("/base", ApiConfiguration.BuildConfigFromConfigFile(path).Server.AbsolutePath);
    }

    public static TheoryData<string, string, string> Refused => new()
    {
        { "", "auth-provider: {name: gcp}", "tokenFile" },
        { "", "username: u, password: hunter2", "kubectl create token" },
        { "", "password: hunter2", "kubectl create token" },
        { "", "token: t, as: root", "the user who is to be impersonated" },
        { "", "token: t, as-uid: '0'", "the user who is to be impersonated" },
        { "", "token: t, as-groups: ['system:masters']", "the user who is to be impersonated" },
        { "", "token: t, as-user-extra: {a: [b]}", "the user who is to be impersonated" },
        { "proxy-url: 'http://p:1'", "token: t", "--api-server" },
        { "", "tokenfile: hunter2", "'tokenfile' in its user" },
        { "certificate-authorities: c", "token: t", "'certificate-authorities' in its cluster" },
        { "", "exec: {command: aws}", "apiVersion ''" },
        { "", "exec: {command: aws, apiVersion: client.authentication.k8s.io/v1alpha1}", "client.authentication.k8s.io/v1" },
        { "", "exec: {apiVersion: client.authentication.k8s.io/v1}", "without a command" },
        { "", "exec: {command: a, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Always}", "needs a terminal" },
        { "", "exec: {command: a, apiVersion: client.authentication.k8s.io/v1, argv: [b]}", "'argv' in its exec" },
        { "", "exec: {command: a, apiVersion: client.authentication.k8s.io/v1, env: [{value: hunter2}]}", "without a name" },
        { "", "token: hunter2, exec: {command: a, apiVersion: client.authentication.k8s.io/v1}", "and another credential" },
        { "extensions: [{name: x}]", "exec: {command: a, apiVersion: client.authentication.k8s.io/v1, provideClusterInfo: true}", "handed over" },
        { "", "exec: {command: a, apiVersion: client.authentication.k8s.io/v1, args: hunter2}", "args that are no list" },
        { "", "exec: {command: a, apiVersion: client.authentication.k8s.io/v1, env: {A: hunter2}}", "env that are no list" },
        { "", "client-certificate: c", "client-key" },
        { "insecure-skip-tls-verify: true, certificate-authority: c", "token: t", "exclude" },
        { "insecure-skip-tls-verify: maybe", "token: t", "neither true nor false" },
        { "certificate-authority-data: '%%'", "token: t", "base64" },
        { "server: 'ftp://x'", "token: t", "https://HOST:6443" },
        { "server: 'api:6443'", "token: t", "https://HOST:6443" },
        { "server: 'http://192.0.2.1'", "token: hunter2", "unencrypted" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void What_is_not_supported_is_refused_with_the_way_out(string cluster, string user, string words)
    {
        string path = Kubeconfig(cluster, user);
        var e = Assert.Throws<ApiConfigurationException>(() => ApiConfiguration.BuildConfigFromConfigFile(path));
        Assert.Contains(words, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", e.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "no mapping")]
    [InlineData("- a", "no mapping")]
    [InlineData("users: [{user: {token: hunter2]", "line 1")]
    [InlineData("token: \"hunter2\\q\"", "line 1")]
    [InlineData("a: b", "current-context")]
    [InlineData("current-context: c", "context 'c'")]
    [InlineData("{current-context: c, contexts: [7, {name: c, context: {cluster: k}}]}", "cluster 'k'")]
    [InlineData("{current-context: c, contexts: [{name: c}]}", "names no cluster")]
    [InlineData("{current-context: c, contexts: [{name: c, context: {cluster: k}}, {name: c, context: {cluster: l}}]}", "two contexts")]
    [InlineData("{current-context: c, contexts: [{name: c, context: {cluster: k}}], clusters: [{name: k, cluster: x}]}", "no server")]
    public void A_broken_kubeconfig_is_described_without_its_secrets(string text, string words)
    {
        string path = _folder.Write("broken", text);
        var e = Assert.Throws<ApiConfigurationException>(() => ApiConfiguration.BuildConfigFromConfigFile(path));
        Assert.Contains(words, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", e.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_plugin_is_taken_over_word_for_word()
    {
        string path = Kubeconfig("disable-compression: true", "exec: {command: bin/aws, apiVersion: client.authentication.k8s.io/v1beta1, " +
            "args: [a b, ''], env: [{name: A, value: 'b c'}], interactiveMode: IfAvailable, provideClusterInfo: true, installHint: ask}");
        ExecPlugin plugin = ApiConfiguration.BuildConfigFromConfigFile(path).Exec!;
        Assert.Equal((_folder["conf/bin/aws"], "client.authentication.k8s.io/v1beta1", true, "ask"),
            (plugin.Command, plugin.ApiVersion, plugin.ProvideClusterInfo, plugin.InstallHint));
        Assert.Equal(["a b", ""], plugin.Arguments);
        Assert.Equal([new("A", "b c")], plugin.Environment);
    }

    // As a program writes it that knows every field.
    [Fact]
    public void What_is_null_is_absent()
    {
        var configuration = ApiConfiguration.BuildConfigFromConfigFile(Kubeconfig(
            "certificate-authority: null, tls-server-name: ~, proxy-url: Null", "token: t, tokenFile: NULL, as: null, exec: , client-key-data: ~"));
        Assert.Equal((null, null, "t"), (configuration.CertificateAuthority, configuration.TlsServerName, configuration.Token!.Read()));
        Assert.Equal("null", ApiConfiguration.BuildConfigFromConfigFile(Kubeconfig("tls-server-name: 'null'", "token: t")).TlsServerName);
    }

    // kubelet makes a folder of a hostPath that does not exist.
    [Fact]
    public void A_folder_in_place_of_a_file_is_called_one()
    {
        string folder = Path.GetDirectoryName(_folder.Write("folder/x", ""))!;
        Assert.Contains($"{folder}: it is a folder", Assert.Throws<ApiException>(() => CredentialSource.File(folder).Read()).Message, StringComparison.Ordinal);
        Assert.Contains($"{folder}: it is a folder", Assert.Throws<ApiConfigurationException>(
            () => ApiConfiguration.BuildConfigFromConfigFile(folder)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_kubeconfig_is_named() =>
        Assert.Contains(_folder["none"], Assert.Throws<ApiConfigurationException>(
            () => ApiConfiguration.BuildConfigFromConfigFile(_folder["none"])).Message, StringComparison.Ordinal);

    [Fact]
    public void No_secret_shows_in_text()
    {
        var configuration = ApiConfiguration.BuildConfigFromConfigFile(Kubeconfig("", "token: hunter2"));
        Assert.Equal("hunter2", configuration.Token!.Read());
        Assert.DoesNotContain("hunter2", $"{configuration} {configuration.Token}", StringComparison.Ordinal);
    }

    private string Kubeconfig(string cluster, string user) => _folder.Write("conf/config", $$"""
        apiVersion: v1
        kind: Config
        current-context: here
        contexts: [{name: there, context: {cluster: x, user: x} }, {name: here, context: {cluster: k, user: u, namespace: n} }]
        clusters:
        - name: k
          cluster: { {{(cluster.Contains("server: ", StringComparison.Ordinal) ? "" : "server: 'https://192.0.2.1:6443', ")}}{{cluster}} }
        users:
        - {name: u, user: { {{user}} } }
        """);
}
