namespace HostGw.FakeApi;

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
