namespace HostGw.Kubernetes;

/// <summary>The API server refused, or could not be reached. The message says what to do; the next attempt may succeed.</summary>
internal sealed class ApiException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Null when no answer came.</summary>
    public HttpStatusCode? StatusCode { get; init; }

    /// <summary>The reason word of the server's Status object, such as Expired or Forbidden; empty if it sent none.</summary>
    public string Reason { get; init; } = "";

    /// <summary>How long the server asked to be left alone.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The resource version or continue token is no longer kept: list again.</summary>
    public bool IsExpired => StatusCode == HttpStatusCode.Gone;

    /// <summary>The server has not yet reached the resource version that was asked for (or is overloaded).</summary>
    public bool IsTimeout => StatusCode == HttpStatusCode.GatewayTimeout;

}
