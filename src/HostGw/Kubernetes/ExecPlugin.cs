using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace HostGw.Kubernetes;

/// <summary>A program that gives credentials: the `exec` of a kubeconfig's user. It is started directly, without a shell.</summary>
/// <remarks>https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins</remarks>
internal sealed record ExecPlugin(string ApiVersion, string Command, IReadOnlyList<string> Arguments)
{
    private const int MaxOutput = 4 * 1024 * 1024;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    public IReadOnlyList<KeyValuePair<string, string>> Environment { get; init; } = [];

    /// <summary>Whether the program receives the cluster in KUBERNETES_EXEC_INFO.</summary>
    public bool ProvideClusterInfo { get; init; }

    /// <summary>What to do when the program is missing; may be empty.</summary>
    public string InstallHint { get; init; } = "";

    /// <summary>Runs the program; null for the time: what it gave does not expire.</summary>
    /// <exception cref="ApiException">It failed, or gave something else.</exception>
    public async Task<(Credential Credential, DateTimeOffset? Expires)> RunAsync(
        ApiConfiguration configuration, TimeProvider time, CancellationToken cancellationToken)
    {
        using Process process = Start(configuration);
        using var timeout = new CancellationTokenSource(Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            process.StandardInput.Close();
            Task<string> errors = ReadErrorsAsync(process.StandardError, either.Token);
            string output = await ReadAsync(process.StandardOutput, either.Token);
            await process.WaitForExitAsync(either.Token);
            if (process.ExitCode != 0)
                throw new ApiException($"{this} failed with exit code {process.ExitCode}: {ApiStatus.OneLine((await errors).Trim())}");
            return Parse(output);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ApiException($"{this} did not end within {Timeout.TotalSeconds:0} s", e);
        }
        finally
        {
            Kill(process);
        }
    }

    public override string ToString() => $"The credential plugin {Command}";

    private Process Start(ApiConfiguration configuration)
    {
        var start = new ProcessStartInfo(Command, Arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        SocketThread.HideFrom(start.Environment);
        foreach ((string name, string value) in Environment)
            start.Environment[name] = value;
        start.Environment["KUBERNETES_EXEC_INFO"] = Info(configuration);
        try
        {
            return Process.Start(start)!;
        }
        catch (Exception e) when (e is Win32Exception or InvalidOperationException or ArgumentException)
        {
            string hint = InstallHint.Length == 0 ? "install it, or give its path" : InstallHint;
            throw new ApiException($"{this} cannot be started: {e.Message}. To do: {ApiStatus.OneLine(hint)}", e);
        }
    }

    private string Info(ApiConfiguration configuration)
    {
        ReadOnlyMemory<byte> json = JsonText.Object(json =>
        {
            json.WriteString("kind", "ExecCredential");
            json.WriteString("apiVersion", ApiVersion);
            json.WriteStartObject("spec");
            json.WriteBoolean("interactive", false);
            if (ProvideClusterInfo)
                WriteCluster(json, configuration);
            json.WriteEndObject();
        });
        return Encoding.UTF8.GetString(json.Span);
    }

    private static void WriteCluster(Utf8JsonWriter json, ApiConfiguration configuration)
    {
        json.WriteStartObject("cluster");
        json.WriteString("server", configuration.Server.GetLeftPart(UriPartial.Path).TrimEnd('/'));
        if (configuration.TlsServerName is { } name)
            json.WriteString("tls-server-name", name);
        if (configuration.SkipTlsVerify)
            json.WriteBoolean("insecure-skip-tls-verify", true);
        if (configuration.CertificateAuthority is { } authority)
            json.WriteBase64String("certificate-authority-data", Encoding.UTF8.GetBytes(authority.Read()));
        json.WriteEndObject();
    }

    private async Task<string> ReadAsync(StreamReader reader, CancellationToken cancellationToken)
    {
        var text = new StringBuilder();
        char[] buffer = new char[4096];
        for (int read; (read = await reader.ReadAsync(buffer, cancellationToken)) > 0;)
        {
            if (text.Length + read > MaxOutput)
                throw new ApiException($"{this} writes more than {MaxOutput / 1024 / 1024} MiB");
            text.Append(buffer, 0, read);
        }
        return text.ToString();
    }

    // The beginning is reported. The rest is read too: a program that cannot write would not end.
    private static async Task<string> ReadErrorsAsync(StreamReader reader, CancellationToken cancellationToken)
    {
        char[] beginning = new char[4096], rest = new char[4096];
        int length = await reader.ReadBlockAsync(beginning, cancellationToken);
        while (await reader.ReadAsync(rest, cancellationToken) > 0)
        {
        }
        return new(beginning, 0, length);
    }

    private (Credential Credential, DateTimeOffset? Expires) Parse(string output)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(output);
            JsonElement answer = document.RootElement;
            if (Text(answer, "kind") != "ExecCredential")
                throw Wrong("is not an ExecCredential");
            if (Text(answer, "apiVersion") is var version && version != ApiVersion)
                throw Wrong($"has apiVersion {ApiStatus.OneLine(version ?? "(none)")}, but the kubeconfig asks for {ApiVersion}");
            JsonElement status = answer.TryGetProperty("status", out JsonElement element) ? element : default;
            Credential credential = new(Text(status, "token"), Text(status, "clientCertificateData"), Text(status, "clientKeyData"));
            if (credential.Certificate is null != credential.Key is null)
                throw Wrong("has only one of clientCertificateData and clientKeyData");
            if (credential is { Token: null, Certificate: null })
                throw Wrong("has neither a token nor a client certificate");
            DateTimeOffset? expires = Expiry(status);
            return (credential with { Expires = expires }, expires);
        }
        // A text with half a surrogate pair is an InvalidOperationException.
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The parser's message may quote a token.
            throw Wrong("is not JSON");
        }
    }

    private DateTimeOffset? Expiry(JsonElement status) =>
        Text(status, "expirationTimestamp") is null ? null
        : status.GetProperty("expirationTimestamp").TryGetDateTimeOffset(out DateTimeOffset expires) ? expires
        : throw Wrong("has an expirationTimestamp that is not RFC 3339");

    private static string? Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement value) &&
        value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text : null;

    private ApiException Wrong(string what) => new($"The output of the credential plugin {Command} {what}");

    private static void Kill(Process process)
    {
        try
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception or AggregateException)
        {
            // It has ended meanwhile, or a child of it has changed its user and cannot be killed.
        }
    }
}
