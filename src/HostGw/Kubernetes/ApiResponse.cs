namespace HostGw.Kubernetes;

/// <summary>A successful answer whose body is still arriving. Disposing it gives the stream back to the connection.</summary>
internal sealed class ApiResponse(HttpResponseMessage response, Stream body) : IDisposable
{
    public Stream Body => body;

    /// <summary>Such as application/json; empty if the server did not say.</summary>
    public string MediaType => response.Content.Headers.ContentType?.MediaType ?? "";

    public void Dispose()
    {
        body.Dispose();
        response.Dispose();
    }
}
