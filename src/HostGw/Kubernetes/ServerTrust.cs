using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace HostGw.Kubernetes;

/// <summary>TLS of one connection: which server certificate is accepted and why not, and which client certificate is shown.</summary>
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

    /// <param name="credential">Its client certificate is shown, if it has one.</param>
    public SslClientAuthenticationOptions Options(Credential? credential)
    {
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = ExpectedName,
            ApplicationProtocols = [SslApplicationProtocol.Http11],
            RemoteCertificateValidationCallback = (_, certificate, chain, errors) => Accept(certificate, chain, errors),
            ClientCertificateContext = credential is null ? null : ClientCertificate(credential),
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
            string trust = _configuration.CertificateAuthority is { } source
                ? $"the certificate authority {source}"
                : "the system's certificate authorities";
            Refusal = $"its certificate is not trusted by {trust} ({why})";
        }
        else if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
            Refusal = $"its certificate is not for '{ExpectedName}'{NamesIn(certificate)}: " +
                "set tls-server-name in the kubeconfig or another --api-server";
        else
            Refusal = "it showed no certificate";
        return false;
    }

    // A cluster's authority may itself be signed by one that is not given: then the given one ends the chain, as for kubectl.
    private bool EndsInIntermediate(X509Chain chain) =>
        chain.ChainStatus.All(s => s.Status == X509ChainStatusFlags.PartialChain) &&
        _authorities?.Any(a => a.RawDataMemory.Span.SequenceEqual(chain.ChainElements[^1].Certificate.RawDataMemory.Span)) == true;

    private static string NamesIn(X509Certificate? certificate)
    {
        var names = (certificate as X509Certificate2)?.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault();
        return names is null
            ? ""
            : $" but for {string.Join(", ", names.EnumerateDnsNames().Concat(names.EnumerateIPAddresses().Select(a => $"{a}")).Take(8))}";
    }

    private static X509Certificate2Collection Import(CredentialSource source)
    {
        X509Certificate2Collection certificates = Import(source.Read(), $"{source}");
        return certificates.Count > 0 ? certificates : throw new ApiException($"No certificate in the certificate authority {source}");
    }

    private static X509Certificate2Collection Import(string pem, string source)
    {
        try
        {
            var certificates = new X509Certificate2Collection();
            certificates.ImportFromPem(pem);
            return certificates;
        }
        catch (CryptographicException e)
        {
            throw new ApiException($"Cannot read the certificates in {source}: {e.Message}", e);
        }
    }

    private SslStreamCertificateContext? ClientCertificate(Credential credential)
    {
        if (credential is not { Certificate: { } pem, Key: { } key })
            return null;
        string source = _configuration.Exec is { } plugin ? $"of {plugin.Command}" : $"{_configuration.ClientCertificate}";
        X509Certificate2Collection chain = Import(pem, source);
        try
        {
            X509Certificate2 certificate = X509Certificate2.CreateFromPem(pem, key);
            // SChannel cannot use a key that was never stored.
            if (OperatingSystem.IsWindows())
                certificate = X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), null);
            return SslStreamCertificateContext.Create(certificate, chain, offline: true);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new ApiException($"The client certificate {source} and its key {_configuration.ClientKey} do not fit: {e.Message}", e);
        }
    }
}
