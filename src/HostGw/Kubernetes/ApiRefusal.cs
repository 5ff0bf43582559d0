using System.Text;

namespace HostGw.Kubernetes;

/// <summary>Turns an error answer into an exception that says what to do.</summary>
internal static class ApiRefusal
{
    private const int MaxBody = 64 * 1024;
    private static readonly TimeSpan BodyTimeout = TimeSpan.FromSeconds(5);

    public static async Task<ApiException> ReadAsync(
        HttpResponseMessage response, ApiConfiguration configuration, TimeProvider time, CancellationToken cancellationToken)
    {
        ApiStatus status = ApiStatus.Parse(WithoutToken(await BodyAsync(response, time, cancellationToken), response.RequestMessage?.Headers.Authorization?.Parameter));
        return new($"The API server answered {(int)response.StatusCode}{Describe(status)}{Cure(response, configuration)}")
        {
            StatusCode = response.StatusCode,
            Reason = status.Reason,
            RetryAfter = RetryAfter(response, time) ?? (status.RetryAfterSeconds is > 0 and { } seconds ? TimeSpan.FromSeconds(seconds) : null),
        };
    }

    /// <summary>A Status that came where an object was expected, as watches report their errors.</summary>
    public static ApiException From(ApiStatus status) => new($"The API server answered {status.Code}{Describe(status)}")
    {
        StatusCode = (HttpStatusCode)status.Code,
        Reason = status.Reason,
        RetryAfter = status.RetryAfterSeconds is > 0 and { } seconds ? TimeSpan.FromSeconds(seconds) : null,
    };

    private static string Describe(ApiStatus status) => (status.Reason, status.Message) switch
    {
        ("", "") => "",
        ("", var message) => $": {message}",
        var (reason, message) => $" {reason}: {message}",
    };

    private static string Cure(HttpResponseMessage response, ApiConfiguration configuration) => response.StatusCode switch
    {
        HttpStatusCode.Unauthorized when configuration.Token is { } token => $". The token {token} is not accepted: has it expired, or is it of another cluster?",
        HttpStatusCode.Unauthorized when configuration.ClientCertificate is { } certificate => $". The client certificate {certificate} is not accepted",
        HttpStatusCode.Unauthorized => ". No credentials are configured",
        HttpStatusCode.Forbidden when response.RequestMessage?.RequestUri?.AbsolutePath.Contains("/events", StringComparison.Ordinal) == true =>
            ". The agent needs 'create' and 'patch' on 'events' in that namespace: the chart gives it with config.events; without it set events to false",
        HttpStatusCode.Forbidden when response.RequestMessage?.Method == HttpMethod.Patch =>
            ". The agent needs 'patch' on 'nodes/status' of its own node: the chart gives it with config.networkUnavailable.clear",
        HttpStatusCode.Forbidden => ". The agent needs a ClusterRole with 'get', 'list' and 'watch' on 'nodes', bound to its service account or user",
        >= HttpStatusCode.MultipleChoices and < HttpStatusCode.BadRequest => ". Redirects are not followed, they would carry the credentials elsewhere: give the final address (--api-server)",
        _ => "",
    };

    // A proxy that shows the request in its error page must not bring the token into a log.
    private static byte[] WithoutToken(byte[] body, string? token) =>
        token is { Length: > 0 } && body.AsSpan().IndexOf(Encoding.Latin1.GetBytes(token)) >= 0
            ? Encoding.Latin1.GetBytes(Encoding.Latin1.GetString(body).Replace(token, "(the token)", StringComparison.Ordinal))
            : body;

    private static TimeSpan? RetryAfter(HttpResponseMessage response, TimeProvider time) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } when date > time.GetUtcNow() => date - time.GetUtcNow(),
        _ => null,
    };

    private static async Task<byte[]> BodyAsync(HttpResponseMessage response, TimeProvider time, CancellationToken cancellationToken)
    {
        byte[] body = new byte[MaxBody];
        int length = 0;
        using var timeout = new CancellationTokenSource(BodyTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            using Stream stream = await response.Content.ReadAsStreamAsync(either.Token);
            length = await stream.ReadAtLeastAsync(body, MaxBody, throwOnEndOfStream: false, either.Token);
        }
        catch (Exception e) when (e is IOException or HttpRequestException or OperationCanceledException)
        {
            // The status line alone says enough; a body that breaks off must not hide it.
            cancellationToken.ThrowIfCancellationRequested();
        }
        return body[..length];
    }
}
