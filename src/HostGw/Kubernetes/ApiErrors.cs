using System.Security.Authentication;
using System.Text;
using Polly;
using Polly.Retry;

namespace HostGw.Kubernetes;

/// <summary>The API server refused, or could not be reached. The message says what to do; the next attempt may succeed.</summary>
/// <remarks>Without a full stop, which ends the texts of Windows and of other servers: others go on with the sentence.</remarks>
internal sealed class ApiException(string message, Exception? inner = null) : Exception(message.TrimEnd('.'), inner)
{
    /// <summary>The cause of a Status about a resource version in the future.</summary>
    public const string VersionTooLarge = "ResourceVersionTooLarge";

    /// <summary>Null when no answer came.</summary>
    public HttpStatusCode? StatusCode { get; init; }

    /// <summary>The reason of the server's Status object, such as Expired or Forbidden; empty if it sent none.</summary>
    public string Reason { get; init; } = "";

    /// <summary>The reasons of the Status' causes, such as ResourceVersionTooLarge.</summary>
    public IReadOnlyList<string> Causes { get; init; } = [];

    /// <summary>How long the server asked to be left alone, up to 5 minutes; null also for 0, which bounds nothing.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The resource version or continue token is no longer kept: list again.</summary>
    public bool IsExpired => StatusCode == HttpStatusCode.Gone;

    /// <summary>The server has not reached the resource version that was asked for.</summary>
    public bool IsVersionTooLarge => Causes.Contains(VersionTooLarge);

    /// <summary>The server's certificate is not trusted.</summary>
    public bool IsUntrusted => InnerException is AuthenticationException;
}

/// <summary>The way to the API server is described wrongly; trying again does not help.</summary>
internal sealed class ApiConfigurationException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Turns an error answer into an exception that says what to do.</summary>
internal static class ApiErrors
{
    private const int MaxBody = 64 * 1024;

    // A server that asks for more is not believed: it would be a mistake.
    private static readonly TimeSpan LongestRetryAfter = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan BodyTimeout = TimeSpan.FromSeconds(5);

    public static async Task<ApiException> ReadAsync(
        HttpResponseMessage response, ApiConfiguration configuration, Credential credential, TimeProvider time,
        CancellationToken cancellationToken)
    {
        byte[] body = await BodyAsync(response, time, cancellationToken);
        ApiStatus status = ApiStatus.Parse(WithoutToken(body, response.RequestMessage?.Headers.Authorization?.Parameter));
        string cure = Cure(response, configuration) + Expired(response, credential, time);
        return new($"The API server answered {(int)response.StatusCode}{Describe(status)}{cure}")
        {
            StatusCode = response.StatusCode,
            Reason = status.Reason,
            Causes = status.Causes,
            RetryAfter = Bounded(RetryAfter(response, time) ?? RetryAfter(status)),
        };
    }

    /// <summary>A Status that came in place of an object, as watches report their errors.</summary>
    public static ApiException From(ApiStatus status) => new($"The API server answered {status.Code}{Describe(status)}")
    {
        StatusCode = (HttpStatusCode)status.Code,
        Reason = status.Reason,
        Causes = status.Causes,
        RetryAfter = Bounded(RetryAfter(status)),
    };

    private static string Describe(ApiStatus status) => (status.Reason, status.Message.TrimEnd('.')) switch
    {
        ("", "") => "",
        ("", var message) => $": {message}",
        var (reason, message) => $" {reason}: {message}",
    };

    private static string Cure(HttpResponseMessage response, ApiConfiguration configuration) => response.StatusCode switch
    {
        HttpStatusCode.Unauthorized => Unauthorized(configuration),
        HttpStatusCode.Forbidden => $". {Forbidden(response.RequestMessage!)}",
        >= HttpStatusCode.MultipleChoices and < HttpStatusCode.BadRequest =>
            ". Redirects are not followed, they would carry the credentials elsewhere: give the final address (--api-server)",
        _ => "",
    };

    // A plugin may give a credential that has expired, and a host's clock may be wrong: the server decides.
    private static string Expired(HttpResponseMessage response, Credential credential, TimeProvider time) =>
        response.StatusCode == HttpStatusCode.Unauthorized && credential.Expires <= time.GetUtcNow()
            ? $", which expired at {Rfc3339.Text(credential.Expires.Value)} by this host's clock"
            : "";

    private static string Unauthorized(ApiConfiguration configuration) => configuration switch
    {
        { Exec: { } plugin } => $". The API server does not accept what the credential plugin {plugin.Command} gave",
        { Token: not null } => $". The token {configuration.DescribeToken()} is not accepted: has it expired, or is it of another cluster?",
        { ClientCertificate: { } certificate } => $". The client certificate {certificate} is not accepted",
        _ => ". No credentials are configured",
    };

    private static string Forbidden(HttpRequestMessage request)
    {
        string path = request.RequestUri!.AbsolutePath;
        if (path.Contains("/events", StringComparison.Ordinal))
            return "HostGw needs 'create' and 'patch' on 'events' in that namespace: the chart gives it with config.events; " +
                "without it set events to false";
        if (request.Method == HttpMethod.Patch)
            return "The agent needs 'patch' on 'nodes/status' of its own node: the chart gives it with config.networkUnavailable.clear";
        if (request.Method != HttpMethod.Get)
            return $"The digest needs the right to create and update {path}: the chart gives it with digest.enabled";
        return path.Contains("/nodes", StringComparison.Ordinal)
            ? "HostGw needs a ClusterRole with 'get', 'list' and 'watch' on 'nodes', bound to its service account or user"
            : $"HostGw needs the right to read {path}";
    }

    // A proxy that shows the request in its error page must not bring the token into a log.
    private static byte[] WithoutToken(byte[] body, string? token) =>
        token is { Length: > 0 } && body.AsSpan().IndexOf(Encoding.Latin1.GetBytes(token)) >= 0
            ? Encoding.Latin1.GetBytes(Encoding.Latin1.GetString(body).Replace(token, "(the token)", StringComparison.Ordinal))
            : body;

    private static TimeSpan? Bounded(TimeSpan? askedFor) => askedFor > LongestRetryAfter ? LongestRetryAfter : askedFor;

    private static TimeSpan? RetryAfter(ApiStatus status) =>
        status.RetryAfterSeconds is > 0 and { } seconds ? TimeSpan.FromSeconds(seconds) : null;

    private static TimeSpan? RetryAfter(HttpResponseMessage response, TimeProvider time) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } when delta > TimeSpan.Zero => delta,
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
            // The status line is enough; a body that breaks off must not hide it.
            cancellationToken.ThrowIfCancellationRequested();
        }
        return body[..length];
    }
}

/// <summary>Makes a request until the API server accepts it. A pause is at least as long as the server asks for.</summary>
/// <param name="failed">Called after each failure, before the pause.</param>
internal sealed class ApiRetry(Backoff backoff, TimeProvider time, Action<ApiFailure> failed)
{
    private static readonly TimeSpan LongestRequest = TimeSpan.FromSeconds(30);

    // Made when it is first needed, and generic over a class, as the reflector's: a healthy agent must not pay for it in memory.
    private ResiliencePipeline<object>? _pipeline;

    /// <param name="request">Every attempt calls it, so that it sends what is true then.</param>
    public async Task ExecuteAsync(Func<CancellationToken, Task> request, CancellationToken cancellationToken)
    {
        _pipeline ??= Build();
        await _pipeline.ExecuteAsync(token => AttemptAsync(request, token), cancellationToken);
    }

    private ResiliencePipeline<object> Build() => new ResiliencePipelineBuilder<object> { TimeProvider = time }
        .AddRetry(new RetryStrategyOptions<object>
        {
            MaxRetryAttempts = int.MaxValue,
            ShouldHandle = static args => ValueTask.FromResult(args.Outcome.Exception is ApiException or OperationCanceledException),
            DelayGenerator = args => ValueTask.FromResult<TimeSpan?>(AfterFailure(args.Outcome.Exception!, args.AttemptNumber)),
        })
        .Build();

    private async ValueTask<object> AttemptAsync(Func<CancellationToken, Task> request, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(LongestRequest, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        await request(either.Token);
        return request;
    }

    private TimeSpan AfterFailure(Exception error, int attempt)
    {
        var refusal = error as ApiException;
        TimeSpan pause = backoff.Delay(attempt, refusal?.RetryAfter);
        string reason = refusal?.Message ?? $"no answer within {LongestRequest.TotalSeconds:0} s";
        failed(new(reason, IsAnswer: refusal?.StatusCode is not null, pause));
        return pause;
    }
}

/// <param name="IsAnswer">The API server answered; otherwise it was not reached.</param>
/// <param name="Pause">Before the next attempt.</param>
internal readonly record struct ApiFailure(string Reason, bool IsAnswer, TimeSpan Pause);
