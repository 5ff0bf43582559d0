namespace HostGw.Kubernetes;

/// <summary>A successful answer whose body is still arriving. Disposing it gives the stream back to the connection.</summary>
internal sealed class ApiResponse(HttpResponseMessage response, Stream body) : IDisposable
{
    public Stream Body => body;

    /// <summary>Kubernetes' protobuf; else it is JSON, which every server and proxy knows.</summary>
    public bool IsProtobuf => response.Content.Headers.ContentType?.MediaType == "application/vnd.kubernetes.protobuf";

    public void Dispose()
    {
        body.Dispose();
        response.Dispose();
    }
}
