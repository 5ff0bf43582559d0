namespace HostGw.Kubernetes;

/// <summary>The API server refused, or could not be reached. The message says what to do; the next attempt may succeed.</summary>
internal sealed class ApiException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The <see cref="Cause"/> of a resource version in the future.</summary>
    public const string VersionTooLarge = "ResourceVersionTooLarge";

    /// <summary>Null when no answer came.</summary>
    public HttpStatusCode? StatusCode { get; init; }

    /// <summary>The reason word of the server's Status object, such as Expired or Forbidden; empty if it sent none.</summary>
    public string Reason { get; init; } = "";

    /// <summary>How long the server asked to be left alone.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The first cause in the server's Status, such as ResourceVersionTooLarge; empty if it sent none.</summary>
    public string Cause { get; init; } = "";

    /// <summary>The resource version or continue token is no longer kept: list again.</summary>
    public bool IsExpired => StatusCode == HttpStatusCode.Gone;

    /// <summary>The server has not yet reached the resource version that was asked for.</summary>
    public bool IsVersionTooLarge => Cause == VersionTooLarge;

    /// <summary>The server's certificate is not trusted.</summary>
    public bool IsUntrusted => InnerException is System.Security.Authentication.AuthenticationException;
}
