using System.Security.Cryptography.X509Certificates;
using HostGw.FakeApi.Resources;
using HostGw.FakeApi.Security;

namespace HostGw.FakeApi;

/// <summary>Who may come in: tokens, certificates, and the files that carry them.</summary>
public sealed partial class FakeApiServer
{
    /// <summary>Of the administrator, until rotated.</summary>
    public string Token => _identities.AdminToken;

    public string CaPem => _identities.Authority.Pem;

    /// <summary>A further token; with a lifetime it stops working by itself.</summary>
    public string IssueToken(string user, TimeSpan? lifetime = null) => _identities.Tokens.Issue(user, lifetime);

    /// <summary>Requests with this token are 401 from now on; open watches go on, as in the real server.</summary>
    public void ExpireToken(string token) => _identities.Tokens.Expire(token);

    /// <summary>Replaces <see cref="Token"/> and expires the old one.</summary>
    public string RotateToken() => _identities.RotateAdminToken();

    /// <summary>New connections get a new server certificate of the same authority.</summary>
    public void RotateCertificate() => _certificate = _identities.Authority.IssueServer(ServerNames());

    /// <summary>From now on there is another authority: <see cref="CaPem"/> is another, and what trusts the old one refuses new connections.</summary>
    public void RotateAuthority()
    {
        _identities.RotateAuthority();
        RotateCertificate();
    }

    /// <summary>The text of a kubeconfig for this server.</summary>
    public string Kubeconfig(KubeconfigOptions? options = null)
    {
        options ??= new KubeconfigOptions();
        string server = options.Server ?? Uri.ToString().TrimEnd('/');
        return Security.Kubeconfig.Write(server, CaPem, options.User, Credential(options));
    }

    /// <summary>Writes a kubeconfig, and the token file it names if there is one.</summary>
    public void WriteKubeconfig(string path, KubeconfigOptions? options = null)
    {
        File.WriteAllText(path, Kubeconfig(options));
        if (options?.TokenFile is { } tokenFile)
            File.WriteAllText(tokenFile, options.Token ?? _identities.Tokens.Issue(options.User, null));
    }

    /// <summary>Writes what a pod finds in /var/run/secrets/kubernetes.io/serviceaccount: token, ca.crt, namespace.</summary>
    public void WriteServiceAccount(string directory, string? token = null)
    {
        Directory.CreateDirectory(directory);
        File.WriteAllText(Path.Combine(directory, "token"), token ?? Token);
        File.WriteAllText(Path.Combine(directory, "ca.crt"), CaPem);
        File.WriteAllText(Path.Combine(directory, "namespace"), "kube-system");
    }

    private string Credential(KubeconfigOptions options)
    {
        if (options.TokenFile is not null)
            return Security.Kubeconfig.TokenFile(options.TokenFile);
        if (!options.ClientCertificate)
            return Security.Kubeconfig.Token(options.Token ?? _identities.Tokens.Issue(options.User, null));
        using X509Certificate2 certificate = _identities.Authority.IssueClient(options.User, ["system:masters"], options.CertificateLifetime);
        return Security.Kubeconfig.Certificate(certificate);
    }

    private IEnumerable<string> ServerNames() =>
    [
        "localhost", "127.0.0.1", "::1", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
        .. PublishedObjects.ServiceAddresses,
        .. _options.Listen.Select(e => e.Address.ToString()),
        .. _options.ServerNames,
    ];
}

/// <summary>Whose kubeconfig, and with which credential; a token unless said otherwise.</summary>
public sealed record KubeconfigOptions
{
    /// <summary>The server's URL; null is the first endpoint.</summary>
    public string? Server { get; init; }

    public string User { get; init; } = "hostgw-test";

    /// <summary>Null issues a new token for the user, unless another credential is chosen.</summary>
    public string? Token { get; init; }

    /// <summary>The path of a file that holds the token, written by <see cref="FakeApiServer.WriteKubeconfig"/>.</summary>
    public string? TokenFile { get; init; }

    /// <summary>A client certificate instead of a token.</summary>
    public bool ClientCertificate { get; init; }

    /// <summary>Of the client certificate; negative has expired.</summary>
    public TimeSpan CertificateLifetime { get; init; } = TimeSpan.FromDays(1);
}
