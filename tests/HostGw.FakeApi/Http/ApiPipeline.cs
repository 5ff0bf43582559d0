using System.Net.Mime;
using System.Text;
using HostGw.FakeApi.Encoders;
using HostGw.FakeApi.Resources;
using HostGw.FakeApi.Security;
using Microsoft.AspNetCore.Http;

namespace HostGw.FakeApi.Http;

/// <summary>One request from top to bottom: logged, perhaps spoilt, authenticated, routed, answered.</summary>
internal sealed class ApiPipeline(
    RequestLog log, Faults faults, Authenticator authenticator, Negotiation negotiation, Endpoints endpoints, Traffic traffic)
{
    public async Task HandleAsync(HttpContext context)
    {
        RequestRecord record = log.Add(context.Request);
        PlannedAnswer? planned = faults.Take(record);
        var reply = new Reply(context, faults, planned);
        try
        {
            await DelayAsync(context.RequestAborted);
            await AnswerAsync(context, record, reply, planned);
        }
        catch (ApiException error) when (!context.Response.HasStarted)
        {
            await reply.SendStatusAsync(error, negotiation.PrefersProtobuf(context.Request));
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException && context.RequestAborted.IsCancellationRequested)
        {
            // The client left, or its connection was cut: nobody to answer.
        }
        finally
        {
            record.Code = context.Response.StatusCode;
        }
        reply.BreakOff();
    }

    private async Task DelayAsync(CancellationToken cancellationToken)
    {
        if (faults.Latency > TimeSpan.Zero)
            await Task.Delay(faults.Latency, cancellationToken);
        while (faults.HangRequests)
            await Task.Delay(20, cancellationToken);
    }

    private async Task AnswerAsync(HttpContext context, RequestRecord record, Reply reply, PlannedAnswer? planned)
    {
        if (planned is { Garbage: true })
            await reply.SendBytesAsync(200, negotiation.PrefersProtobuf(context.Request) ? ProtobufEncoder.MediaType : MediaTypeNames.Application.Json, "\0\u00ff<html>{\"kind\":\"NodeList\",\"items\":[{]"u8.ToArray());
        else if (planned is { Code: > 0 })
            throw PlannedErrors.Of(planned, record);
        else if (record.Path is "/healthz" or "/livez" or "/readyz")
            await reply.SendBytesAsync(200, MediaTypeNames.Text.Plain, "ok"u8.ToArray());
        else if (record.Path is "/version" or "/version/")
            await reply.SendJsonAsync(200, Discovery.Version());
        else
            await AuthorizedAsync(context, record, reply);
    }

    private async Task AuthorizedAsync(HttpContext context, RequestRecord record, Reply reply)
    {
        string? user = authenticator.Identify(context);
        record.User = user ?? "system:anonymous";
        ApiPath? path = ApiPath.Parse(record.Path);
        if (user is null || faults.Forbids(record))
        {
            context.Response.Headers.XContentTypeOptions = "nosniff";
            throw Forbidden(record, path);
        }
        if (path is not null)
            await ServeAsync(context, path, reply);
        else if (Discovery.Find(record.Path) is { } document && HttpMethods.IsGet(record.Method))
            await reply.SendJsonAsync(200, document);
        else
            throw ApiException.NoSuchPath();
    }

    private Task ServeAsync(HttpContext context, ApiPath path, Reply reply)
    {
        HttpRequest request = context.Request;
        reply.Traffic = traffic.Of(path.Kind);
        if (!HttpMethods.IsGet(request.Method))
            return endpoints.Writes.ServeAsync(context, path, reply);
        if (path.IsLog)
            return reply.SendBytesAsync(200, MediaTypeNames.Text.Plain, Encoding.UTF8.GetBytes($"what {path.Name} wrote\n"));
        if (path.Name is not null && request.Query["watch"].Count == 0)
            return endpoints.Reads.GetAsync(request, path, reply);
        ListOptions options = ListOptions.From(request.Query);
        return options.Watch
            ? endpoints.Watches.ServeAsync(context, path, options, reply)
            : endpoints.Reads.ListAsync(request, path, options, reply);
    }

    private static ApiException Forbidden(RequestRecord record, ApiPath? path)
    {
        string verb = record switch
        {
            { IsWatch: true } => "watch",
            { Method: "GET" } => path?.Name is null ? "list" : "get",
            { Method: "POST" } => "create",
            { Method: "PUT" } => "update",
            _ => record.Method.ToLowerInvariant(),
        };
        ResourceKind kind = path?.Kind ?? Kinds.Node;
        string scope = path?.Namespace is { } ns ? $"in the namespace \"{ns}\"" : "at the cluster scope";
        string subject = path?.Name is { } name ? $" \"{name}\"" : "";
        string resource = path?.Subresource is { } sub ? $"{kind.Plural}/{sub}" : kind.Plural;
        return new ApiException(403, "Forbidden",
            $"{kind.QualifiedName}{subject} is forbidden: User \"{record.User}\" cannot {verb} resource \"{resource}\" in API group \"{kind.Group}\" {scope}",
            new() { ["kind"] = kind.Plural });
    }
}

/// <summary>What serves the verbs.</summary>
internal sealed record Endpoints(ReadEndpoint Reads, WatchEndpoint Watches, WriteEndpoint Writes);

/// <summary>What a resource path names: /api/v1/namespaces/{ns}/{plural}/{name}/{subresource} and its shorter forms.</summary>
internal sealed record ApiPath(ResourceKind Kind, string? Namespace, string? Name, string? Subresource)
{
    public bool IsStatus => Subresource == "status";

    public bool IsLog => Subresource == "log" && Kind == Kinds.Pod;

    public string Key => Kind.Key(Namespace, Name!);

    /// <summary>Null when the path names nothing this server has.</summary>
    public static ApiPath? Parse(string path)
    {
        string[] parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return parts switch
        {
            ["api", string version, .. string[] rest] => Parse("", version, rest),
            ["apis", string group, string version, .. string[] rest] => Parse(group, version, rest),
            _ => null,
        };
    }

    private static ApiPath? Parse(string group, string version, string[] parts)
    {
        string? ns = null;
        if (parts is ["namespaces", string inside, string plural, ..] && Kinds.Find(group, version, plural) is { Namespaced: true })
            (ns, parts) = (inside, parts[2..]);
        if (parts.Length is 0 or > 3 || Kinds.Find(group, version, parts[0]) is not { } kind)
            return null;

        var found = new ApiPath(kind, ns, parts.ElementAtOrDefault(1), parts.ElementAtOrDefault(2));
        bool known = found.Subresource is null || found.IsLog || (found.IsStatus && kind.HasStatus);
        bool placed = !kind.Namespaced || ns is not null || found.Name is null;
        return known && placed ? found : null;
    }
}
