using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using HostGw.FakeApi.Security;
using HostGw.Kubernetes;
using HostGw.Tests.FakeApi;

namespace HostGw.Tests.Kubernetes;

/// <summary>How an <see cref="Answer"/> ends.</summary>
internal enum AnswerEnd
{
    Whole,

    /// <summary>It goes on, but nothing more comes.</summary>
    Open,

    /// <summary>The connection is closed after a chunk has begun.</summary>
    BrokenOff,
}

/// <summary>An answer as it goes over the wire.</summary>
/// <param name="Head">Status line and headers; a chunked answer is cut into chunks.</param>
internal sealed record Answer(string Head, byte[] Body, AnswerEnd End = AnswerEnd.Whole)
{
    /// <summary>Sent after the body, when <see cref="When"/> is complete.</summary>
    public byte[] Rest { get; init; } = [];

    public Task When { get; init; } = Task.CompletedTask;

    public bool IsChunked => Head.Contains("chunked", StringComparison.OrdinalIgnoreCase);

    /// <summary>What a real API server answered (tests/fixtures).</summary>
    public static Answer Recorded(string name, AnswerEnd end = AnswerEnd.Whole)
    {
        Recording recorded = Recording.Read(name);
        return new(recorded.Head, recorded.Body, end);
    }

    /// <summary>The frames of a watch, as recorded or made by a test.</summary>
    public static Answer Watch(byte[] frames, AnswerEnd end = AnswerEnd.Open) => new(Recording.Read("watch.protobuf").Head, frames, end);

    /// <summary>The same, but for one text of the body: both are of one length.</summary>
    public Answer With(string text, string other)
    {
        Assert.Equal(text.Length, other.Length);
        byte[] body = [.. Body];
        int at = body.AsSpan().IndexOf(Encoding.ASCII.GetBytes(text));
        Encoding.ASCII.GetBytes(other, body.AsSpan(at));
        return this with { Body = body };
    }
}

/// <summary>An HTTPS server that gives prepared answers, one for each request in their order, byte by byte as they were recorded.
/// Requests after the last one get none.</summary>
internal sealed class AnswerServer : IAsyncDisposable
{
    // Chunks end in the middle of frames, fields and texts.
    private const int ChunkSize = 997;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CertificateAuthority _authority = new();
    private readonly X509Certificate2 _certificate;
    private readonly CancellationTokenSource _stop = new();
    private readonly Queue<Answer> _answers;
    private readonly List<string> _requests = [];
    private readonly List<Task> _serving = [];

    public AnswerServer(params Answer[] answers)
    {
        _answers = new(answers);
        _certificate = _authority.IssueServer(["127.0.0.1"]);
        _listener.Start();
        _serving.Add(AcceptAsync());
    }

    public ApiConfiguration Configuration => new()
    {
        Server = new($"https://{_listener.LocalEndpoint}"),
        CertificateAuthority = CredentialSource.Inline(_authority.Pem),
        Token = CredentialSource.Inline("t0k3n"),
    };

    /// <summary>Path and query of each request, in order.</summary>
    public string[] Requests
    {
        get
        {
            lock (_requests)
                return [.. _requests];
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        Task[] serving;
        lock (_requests)
            serving = [.. _serving];
        await Task.WhenAll(serving).ContinueWith(_ => { }, TaskScheduler.Default);
        _certificate.Dispose();
        _authority.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            Socket socket = await _listener.AcceptSocketAsync(_stop.Token);
            lock (_requests)
                _serving.Add(ServeAsync(socket));
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        using var tcp = new NetworkStream(socket, ownsSocket: true);
        using var tls = new SslStream(tcp);
        await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _certificate }, _stop.Token);
        using var reader = new StreamReader(tls, Encoding.ASCII);
        while (await reader.ReadLineAsync(_stop.Token) is { Length: > 0 } line)
        {
            while (await reader.ReadLineAsync(_stop.Token) is { Length: > 0 })
                continue;
            if (Take(line.Split(' ')[1]) is not { } answer || !await SendAsync(tls, answer))
                await Task.Delay(Timeout.Infinite, _stop.Token);
            else if (answer.End == AnswerEnd.BrokenOff)
                return;
        }
    }

    private Answer? Take(string request)
    {
        lock (_requests)
        {
            _requests.Add(request);
            return _answers.TryDequeue(out Answer? answer) ? answer : null;
        }
    }

    // False: the answer goes on.
    private async Task<bool> SendAsync(SslStream stream, Answer answer)
    {
        await stream.WriteAsync(Encoding.ASCII.GetBytes(answer.Head.ReplaceLineEndings("\r\n").TrimEnd() + "\r\n\r\n"), _stop.Token);
        await SendAsync(stream, answer.Body, answer.IsChunked);
        await answer.When.WaitAsync(_stop.Token);
        await SendAsync(stream, answer.Rest, answer.IsChunked);
        string end = answer.End switch
        {
            AnswerEnd.Whole when answer.IsChunked => "0\r\n\r\n",
            AnswerEnd.BrokenOff when answer.IsChunked => "100\r\n",
            _ => "",
        };
        await stream.WriteAsync(Encoding.ASCII.GetBytes(end), _stop.Token);
        await stream.FlushAsync(_stop.Token);
        return answer.End != AnswerEnd.Open;
    }

    private async Task SendAsync(SslStream stream, byte[] body, bool isChunked)
    {
        foreach (byte[] part in isChunked ? body.Chunk(ChunkSize) : [body])
        {
            if (isChunked)
                await stream.WriteAsync(Encoding.ASCII.GetBytes(part.Length.ToString("x", CultureInfo.InvariantCulture) + "\r\n"), _stop.Token);
            await stream.WriteAsync(part, _stop.Token);
            if (isChunked)
                await stream.WriteAsync("\r\n"u8.ToArray(), _stop.Token);
        }
    }
}
