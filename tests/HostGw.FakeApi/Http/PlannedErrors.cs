namespace HostGw.FakeApi.Http;

/// <summary>The Status that goes with a status code out of nowhere.</summary>
internal static class PlannedErrors
{
    public static ApiException Of(PlannedAnswer planned, RequestRecord request)
    {
        (string reason, string message) = planned.Code switch
        {
            400 => ("BadRequest", "the server rejected our request"),
            401 => ("Unauthorized", "Unauthorized"),
            403 => ("Forbidden", $"forbidden: User \"{request.User}\" cannot do this"),
            404 => ("NotFound", "the server could not find the requested resource"),
            409 => ("Conflict", "the object has been modified; please apply your changes to the latest version and try again"),
            410 => ("Expired", "The resourceVersion for the provided watch is too old."),
            429 => ("TooManyRequests", "Too many requests, please try again later."),
            500 => ("InternalError", "Internal error occurred: etcdserver: leader changed"),
            503 => ("ServiceUnavailable", "the server is currently unable to handle the request"),
            504 => ("Timeout", "the server was unable to return a response in the time allotted"),
            _ => ("", "planned by the test"),
        };
        int? seconds = planned.RetryAfter is { } after ? (int)Math.Ceiling(after.TotalSeconds) : null;
        return new ApiException(planned.Code, reason, message, seconds is null ? null : new() { ["retryAfterSeconds"] = seconds })
        {
            RetryAfterSeconds = seconds,
        };
    }
}
