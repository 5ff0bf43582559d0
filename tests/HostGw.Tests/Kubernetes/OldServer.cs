using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace HostGw.Tests.Kubernetes;

/// <summary>An HTTPS server without HTTP/2, whose authority is an intermediate: root → authority → server. Every answer is the same.</summary>
internal sealed class OldServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly X509Certificate2 _authority;
    private readonly X509Certificate2 _certificate;
    private readonly byte[] _answer;
    private readonly Task _serving;

    public OldServer(string body)
    {
        _answer = Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}");
        using X509Certificate2 root = Issue("CN=root", null, isAuthority: true);
        _authority = Issue("CN=authority", root, isAuthority: true);
        using X509Certificate2 certificate = Issue("CN=server", _authority, isAuthority: false);
        _certificate = X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), null);
        _listener.Start();
        _serving = ServeAsync();
    }

    public string AuthorityPem => _authority.ExportCertificatePem();

    public string Uri => $"https://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    public string Request { get; private set; } = "";

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await Assert.ThrowsAnyAsync<Exception>(() => _serving);
        _authority.Dispose();
        _certificate.Dispose();
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            using TcpClient client = await _listener.AcceptTcpClientAsync();
            using var stream = new SslStream(client.GetStream());
            try
            {
                await stream.AuthenticateAsServerAsync(_certificate);
                byte[] buffer = new byte[64 * 1024];
                Request = Encoding.ASCII.GetString(buffer, 0, await stream.ReadAsync(buffer));
                await stream.WriteAsync(_answer);
            }
            catch (Exception e) when (e is IOException or System.Security.Authentication.AuthenticationException)
            {
                // The client did not trust us.
            }
        }
    }

    private static X509Certificate2 Issue(string name, X509Certificate2? issuer, bool isAuthority)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, true));
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());

        DateTimeOffset now = DateTimeOffset.UtcNow;
        if (issuer is null)
            return request.CreateSelfSigned(now.AddHours(-2), now.AddHours(3));
        using X509Certificate2 signed = request.Create(issuer, now.AddHours(isAuthority ? -1 : -0.5), now.AddHours(isAuthority ? 2 : 1), RandomNumberGenerator.GetBytes(8));
        return signed.CopyWithPrivateKey(key);
    }
}
