using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace HostGw.Kubernetes;

/// <summary>When the token and the certificates of a configuration are valid. What cannot be read is left out; its use fails.</summary>
internal static class CredentialTimes
{
    public static IEnumerable<(string What, DateTimeOffset From, DateTimeOffset Until)> Read(ApiConfiguration configuration)
    {
        if (Text(configuration.Token) is { } token && OfToken(token) is { } times)
            yield return ($"the token {configuration.Token}", times.From, times.Until);
        (string, CredentialSource?)[] certificates =
        [
            ("the client certificate", configuration.ClientCertificate),
            ("the certificate authority", configuration.CertificateAuthority),
        ];
        foreach ((string what, CredentialSource? source) in certificates)
        {
            // Of several (an authority that is being replaced) one that is valid is enough.
            if (OfCertificates(Text(source)) is { } valid)
                yield return ($"{what} {source}", valid.From, valid.Until);
        }
    }

    /// <summary>nbf and exp of a JSON Web Token; null where it is none or names no end.</summary>
    /// <remarks>https://www.rfc-editor.org/rfc/rfc7519#section-4.1</remarks>
    public static (DateTimeOffset From, DateTimeOffset Until)? OfToken(string token)
    {
        if (token.Split('.') is not [_, var payload, _])
            return null;
        try
        {
            using JsonDocument claims = JsonDocument.Parse(Base64Url.DecodeFromChars(payload));
            return Time(claims.RootElement, "exp") is { } until
                ? (Time(claims.RootElement, "nbf") ?? DateTimeOffset.MinValue, until)
                : null;
        }
        // A name with half a surrogate pair is an InvalidOperationException.
        catch (Exception e) when (e is FormatException or JsonException or InvalidOperationException)
        {
            return null; // a token of another kind
        }
    }

    private static (DateTimeOffset From, DateTimeOffset Until)? OfCertificates(string? pem)
    {
        if (pem is null)
            return null;
        try
        {
            var certificates = new X509Certificate2Collection();
            certificates.ImportFromPem(pem);
            return certificates.Count > 0
                ? (certificates.Min(c => c.NotBefore.ToUniversalTime()), certificates.Max(c => c.NotAfter.ToUniversalTime()))
                : null;
        }
        catch (CryptographicException)
        {
            return null; // reported when it is used
        }
    }

    private static DateTimeOffset? Time(JsonElement claims, string name) =>
        claims.ValueKind == JsonValueKind.Object && claims.TryGetProperty(name, out JsonElement value) &&
        value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long seconds) && seconds is > 0 and < 253402300800
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : null;

    private static string? Text(CredentialSource? source)
    {
        try
        {
            return source?.Read();
        }
        catch (ApiException)
        {
            return null; // reported when it is used
        }
    }
}
