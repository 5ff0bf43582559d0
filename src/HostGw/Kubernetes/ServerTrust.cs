using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace HostGw.Kubernetes;

/// <summary>TLS for one connection: whom we believe, and who we are. Says why it refused a server.</summary>
internal sealed class ServerTrust : IDisposable
{
    private readonly ApiConfiguration _configuration;
    private readonly X509Certificate2Collection? _authorities;

    public ServerTrust(ApiConfiguration configuration)
    {
        _configuration = configuration;
        _authorities = configuration.CertificateAuthority is { } source ? Import(source) : null;
    }

    /// <summary>Why the server's certificate was not accepted; null if it was.</summary>
    public string? Refusal { get; private set; }

    private string ExpectedName => _configuration.TlsServerName ?? _configuration.Server.IdnHost;

    /// <param name="version">The latest HTTP to be spoken. Every API server and proxy before it speaks 1.1, too: `kubectl exec` needs it.</param>
    public SslClientAuthenticationOptions Options(Version version)
    {
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = ExpectedName,
            ApplicationProtocols = version.Major < 2 ? [SslApplicationProtocol.Http11] : [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
            RemoteCertificateValidationCallback = (_, certificate, chain, errors) => Accept(certificate, chain, errors),
            ClientCertificateContext = ClientCertificate(),
        };
        if (_authorities is not null)
            options.CertificateChainPolicy = Policy(_authorities);
        return options;
    }

    public void Dispose()
    {
        foreach (X509Certificate2 authority in _authorities ?? [])
            authority.Dispose();
    }

    private static X509ChainPolicy Policy(X509Certificate2Collection authorities)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(authorities);
        return policy;
    }

    private bool Accept(X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None || (_configuration.SkipTlsVerify && certificate is not null))
            return true;
        if (errors == SslPolicyErrors.RemoteCertificateChainErrors && EndsInIntermediate(chain!))
            return true;

        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors))
        {
            string why = string.Join(", ", chain?.ChainStatus.Select(s => s.Status).Distinct() ?? []);
            string trust = _configuration.CertificateAuthority is { } source ? $"the certificate authority {source}" : "the system's certificate authorities";
            Refusal = $"its certificate is not trusted by {trust} ({why})";
        }
        else if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
            Refusal = $"its certificate is not for '{ExpectedName}'{NamesIn(certificate)}: set tls-server-name in the kubeconfig or another --api-server";
        else
            Refusal = "it showed no certificate";
        return false;
    }

    // A cluster's authority may itself be signed by one that is not given: then ours is the end of the chain, as for kubectl.
    private bool EndsInIntermediate(X509Chain chain) =>
        chain.ChainStatus.All(s => s.Status == X509ChainStatusFlags.PartialChain) &&
        _authorities?.Any(a => a.RawDataMemory.Span.SequenceEqual(chain.ChainElements[^1].Certificate.RawDataMemory.Span)) == true;

    private static string NamesIn(X509Certificate? certificate)
    {
        var names = (certificate as X509Certificate2)?.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault();
        return names is null ? "" : $" but for {string.Join(", ", names.EnumerateDnsNames().Concat(names.EnumerateIPAddresses().Select(a => a.ToString())).Take(8))}";
    }

    private static X509Certificate2Collection Import(CredentialSource source)
    {
        try
        {
            var certificates = new X509Certificate2Collection();
            certificates.ImportFromPem(source.Read());
            return certificates.Count > 0 ? certificates : throw new ApiException($"No certificate in {source}");
        }
        catch (CryptographicException e)
        {
            throw new ApiException($"Cannot read the certificates in {source}: {e.Message}", e);
        }
    }

    private SslStreamCertificateContext? ClientCertificate()
    {
        if (_configuration is not { ClientCertificate: { } source, ClientKey: { } keySource })
            return null;
        try
        {
            X509Certificate2Collection chain = Import(source);
            X509Certificate2 certificate = X509Certificate2.CreateFromPem(source.Read(), keySource.Read());
            // SChannel cannot use a key that was never stored.
            if (OperatingSystem.IsWindows())
                certificate = X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), null);
            return SslStreamCertificateContext.Create(certificate, chain, offline: true);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new ApiException($"The client certificate {source} and key {keySource} do not fit: {e.Message}", e);
        }
    }
}
