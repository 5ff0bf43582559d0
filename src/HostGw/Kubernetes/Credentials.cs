using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace HostGw.Kubernetes;

/// <summary>As whom a request speaks: a bearer token, a client certificate with its key (PEM), both or neither.</summary>
internal sealed record Credential(string? Token, string? Certificate = null, string? Key = null)
{
    /// <summary>By the plugin that gave it; null: it does not expire, or files hold it.</summary>
    public DateTimeOffset? Expires { get; init; }

    // Nothing of a secret may reach a log.
    public override string ToString() => nameof(Credential);
}

/// <summary>The present credentials of a configuration: files are read for each request, a plugin runs when what it gave expires.</summary>
internal sealed class Credentials(ApiConfiguration configuration, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan LongestMargin = TimeSpan.FromMinutes(1);

    // By this host's clock: the API server may take it, and says 401 if not.
    private static readonly TimeSpan LifetimeOfExpired = TimeSpan.FromMinutes(1);

    private readonly SemaphoreSlim _running = new(1);
    private Credential? _given;

    // Two clocks decide, whichever comes first: elapsed time, for the clock of the host may be set back, and that clock, for elapsed time
    // does not pass while the host sleeps. For a credential that seems expired when it is given, elapsed time alone: the clock is wrong.
    private TimeSpan _lifetime;
    private long _givenAt;
    private DateTimeOffset _renewAt;

    /// <exception cref="ApiException">A file cannot be read, or the plugin gives none.</exception>
    public ValueTask<Credential> GetAsync(CancellationToken cancellationToken) => configuration.Exec is null
        ? new(ReadFiles())
        : new(AskPluginAsync(refused: null, cancellationToken));

    /// <summary>Reads the credentials again after 401; null: they are those that were refused.</summary>
    /// <exception cref="ApiException">A file cannot be read, or the plugin gives none.</exception>
    public async Task<Credential?> RenewAsync(Credential refused, CancellationToken cancellationToken)
    {
        Credential renewed = configuration.Exec is null ? ReadFiles() : await AskPluginAsync(refused, cancellationToken);
        return renewed == refused ? null : renewed;
    }

    public void Dispose() => _running.Dispose();

    private Credential ReadFiles() =>
        new(configuration.Token?.Read(), configuration.ClientCertificate?.Read(), configuration.ClientKey?.Read());

    private async Task<Credential> AskPluginAsync(Credential? refused, CancellationToken cancellationToken)
    {
        await _running.WaitAsync(cancellationToken);
        try
        {
            if (_given is not null && _given != refused && time.GetElapsedTime(_givenAt) < _lifetime && time.GetUtcNow() < _renewAt)
                return _given;
            (_given, DateTimeOffset? expires) = await configuration.Exec!.RunAsync(configuration, time, cancellationToken);
            _givenAt = time.GetTimestamp();
            (_lifetime, _renewAt) = expires is { } end ? Lifetime(end) : (TimeSpan.MaxValue, DateTimeOffset.MaxValue);
            return _given;
        }
        finally
        {
            _running.Release();
        }
    }

    private (TimeSpan Lifetime, DateTimeOffset RenewAt) Lifetime(DateTimeOffset end)
    {
        TimeSpan left = end - time.GetUtcNow();
        return left > TimeSpan.Zero ? (left - Margin(left), end - Margin(left)) : (LifetimeOfExpired, DateTimeOffset.MaxValue);
    }

    private static TimeSpan Margin(TimeSpan lifetime) => lifetime / 10 < LongestMargin ? lifetime / 10 : LongestMargin;
}

/// <summary>A token, certificate or key, given inline or kept in a file that somebody else renews. Never prints what it holds.</summary>
internal sealed class CredentialSource
{
    /// <summary>Why a path cannot be read; the system's own words would be about access.</summary>
    public const string IsFolder = "it is a folder, as kubelet makes one of a hostPath that does not exist: remove it and create the file";

    private readonly string? _inline;

    private CredentialSource(string? path, string? inline)
    {
        Path = path;
        _inline = inline;
    }

    /// <summary>Null when the value was given inline.</summary>
    public string? Path { get; }

    public static CredentialSource File(string path) => new(path, null);

    public static CredentialSource Inline(string text) => new(null, text);

    /// <summary>A file is read every time: kubelet swaps a symbolic link, which leaves no time stamp to compare.</summary>
    /// <exception cref="ApiException">The file cannot be read or is empty.</exception>
    public string Read()
    {
        if (Path is null)
            return _inline!;
        try
        {
            if (Directory.Exists(Path))
                throw new IOException(IsFolder);
            string text = System.IO.File.ReadAllText(Path).Trim();
            return text.Length > 0 ? text : throw new ApiException($"{Path} is empty");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ApiException($"Cannot read {Path}: {e.Message}", e);
        }
    }

    public override string ToString() => Path ?? "(given inline)";
}

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
