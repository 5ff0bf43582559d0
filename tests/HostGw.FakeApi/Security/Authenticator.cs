using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using HostGw.FakeApi.Http;
using Microsoft.AspNetCore.Http;

namespace HostGw.FakeApi.Security;

/// <summary>Who asks: by client certificate, else by bearer token, else nobody.</summary>
internal sealed class Authenticator(Identities identities)
{
    private const string Scheme = "Bearer ";

    /// <summary>Null when nothing was shown.</summary>
    /// <exception cref="ApiException">401, what was shown is not valid.</exception>
    public string? Identify(HttpContext context)
    {
        if (context.Connection.ClientCertificate is { } certificate)
        {
            return identities.Authority.Trusts(certificate)
                ? certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false)
                : throw ApiException.Unauthorized();
        }
        string header = context.Request.Headers.Authorization.ToString();
        if (!header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
            return null;
        return identities.Tokens.UserOf(header[Scheme.Length..].Trim()) ?? throw ApiException.Unauthorized();
    }
}

/// <summary>The authority and the tokens of one cluster.</summary>
internal sealed class Identities : IDisposable
{
    private const string AdminUser = "kubernetes-admin";

    public Identities(TimeProvider time)
    {
        Tokens = new TokenStore(time);
        AdminToken = Tokens.Issue(AdminUser, null);
    }

    public CertificateAuthority Authority { get; private set; } = new();

    public TokenStore Tokens { get; }

    public string AdminToken { get; private set; }

    public string RotateAdminToken()
    {
        Tokens.Expire(AdminToken);
        return AdminToken = Tokens.Issue(AdminUser, null);
    }

    public void RotateAuthority()
    {
        using CertificateAuthority old = Authority;
        Authority = new();
    }

    public void Dispose() => Authority.Dispose();
}

/// <summary>Bearer tokens, whose they are and until when.</summary>
internal sealed class TokenStore(TimeProvider time)
{
    private readonly ConcurrentDictionary<string, (string User, DateTimeOffset? Until)> _tokens = new(StringComparer.Ordinal);

    public string Issue(string user, TimeSpan? lifetime)
    {
        string token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));
        _tokens[token] = (user, time.GetUtcNow() + lifetime);
        return token;
    }

    public void Expire(string token) => _tokens.TryRemove(token, out _);

    public string? UserOf(string token) =>
        _tokens.TryGetValue(token, out var known) && (known.Until is not { } until || time.GetUtcNow() < until) ? known.User : null;
}
