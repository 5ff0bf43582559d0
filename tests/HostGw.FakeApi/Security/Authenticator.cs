using System.Security.Cryptography.X509Certificates;
using HostGw.FakeApi.Http;
using Microsoft.AspNetCore.Http;

namespace HostGw.FakeApi.Security;

/// <summary>Who asks: by client certificate, else by bearer token, else nobody.</summary>
internal sealed class Authenticator(Func<CertificateAuthority> authority, TokenStore tokens)
{
    private const string Scheme = "Bearer ";

    /// <summary>Null when nothing was shown.</summary>
    /// <exception cref="ApiException">401, what was shown is not valid.</exception>
    public string? Identify(HttpContext context)
    {
        if (context.Connection.ClientCertificate is { } certificate)
        {
            return authority().Trusts(certificate)
                ? certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false)
                : throw ApiException.Unauthorized();
        }
        string header = context.Request.Headers.Authorization.ToString();
        if (!header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
            return null;
        return tokens.UserOf(header[Scheme.Length..].Trim()) ?? throw ApiException.Unauthorized();
    }
}
