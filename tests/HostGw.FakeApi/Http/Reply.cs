using System.Buffers;
using System.Text.Json.Nodes;
using HostGw.FakeApi.Encoders;
using HostGw.FakeApi.Storage;
using Microsoft.AspNetCore.Http;

namespace HostGw.FakeApi.Http;

/// <summary>The way out for every response body, and so the place where bodies are slowed and broken off.</summary>
internal sealed class Reply(HttpContext context, Faults faults, PlannedAnswer? planned)
{
    private const int Chunk = 64 * 1024;

    private readonly ArrayBufferWriter<byte> _buffer = new();
    private long _left = planned?.TruncateAfter ?? long.MaxValue;

    public IBufferWriter<byte> Body => _buffer;

    /// <summary>Where what is sent is counted; null: nowhere.</summary>
    public TrafficCounter? Traffic { get; set; }

    /// <summary>It is sent as a list, or as the beginning of a streaming list.</summary>
    public bool IsList { get; set; }

    /// <summary>It is sent as a watch, unless <see cref="IsList"/>.</summary>
    public bool IsWatch { get; set; }

    /// <summary>Nothing more will be sent: the planned truncation has happened.</summary>
    public bool IsBrokenOff { get; private set; }

    public Task StartAsync(int code, string contentType)
    {
        context.Response.StatusCode = code;
        context.Response.ContentType = contentType;
        context.Response.Headers.CacheControl = "no-cache, private";
        return context.Response.StartAsync(context.RequestAborted);
    }

    public ValueTask SendIfLargeAsync() => _buffer.WrittenCount < Chunk ? ValueTask.CompletedTask : new ValueTask(SendAsync());

    public async Task SendAsync()
    {
        ReadOnlyMemory<byte> bytes = _buffer.WrittenMemory;
        bool cut = bytes.Length >= _left;
        if (cut)
            bytes = bytes[..(int)_left];
        _left -= bytes.Length;
        if (!IsBrokenOff)
        {
            Count(bytes.Length);
            await WriteAsync(bytes);
        }
        _buffer.ResetWrittenCount();
        IsBrokenOff |= cut;
    }

    /// <summary>Breaks the connection where the planned truncation wants it. A reset would take along what was sent and has not arrived.</summary>
    /// <exception cref="BrokenOffException">For Kestrel, which then sends what there is, and no end of the body.</exception>
    public void BreakOff()
    {
        if (IsBrokenOff && !planned!.CleanEnd)
            throw new BrokenOffException();
    }

    public async Task SendStatusAsync(ApiException error, bool asProtobuf)
    {
        if (error.RetryAfterSeconds is { } seconds)
            context.Response.Headers.RetryAfter = JsonFields.Number(seconds);
        if (asProtobuf)
            await SendBytesAsync(error.Code, ProtobufEncoder.MediaType, ProtobufEncoder.Status(error.ToStatus()));
        else
            await SendJsonAsync(error.Code, error.ToStatus());
    }

    public Task SendJsonAsync(int code, JsonNode body) => SendBytesAsync(code, "application/json", ObjectJson.Serialize(body));

    public async Task SendBytesAsync(int code, string contentType, ReadOnlyMemory<byte> body)
    {
        await StartAsync(code, contentType);
        _buffer.Write(body.Span);
        await SendAsync();
    }

    private void Count(int bytes)
    {
        if (IsList)
            Traffic?.ListBytes(bytes);
        else if (IsWatch)
            Traffic?.WatchBytes(bytes);
        else
            Traffic?.OtherBytes(bytes);
    }

    private async Task WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        int perSecond = faults.BytesPerSecond;
        while (perSecond > 0 && bytes.Length > 0)
        {
            int slice = Math.Min(bytes.Length, Math.Max(1, perSecond / 10));
            await context.Response.Body.WriteAsync(bytes[..slice], context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            bytes = bytes[slice..];
            await Task.Delay(100, context.RequestAborted);
            perSecond = faults.BytesPerSecond;
        }
        await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
    }
}

internal sealed class BrokenOffException() : Exception("planned by the test");
