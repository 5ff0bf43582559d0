using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using HostGw.Kubernetes;

namespace HostGw.Tests.Kubernetes;

/// <summary>An authority whose certificate was renewed with the same key: the bundle names both, in either order.</summary>
public class RenewedAuthorityTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Of_two_certificates_of_one_authority_the_valid_one_counts(bool expiredFirst)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        DateTimeOffset now = DateTimeOffset.UtcNow;
        using X509Certificate2 expired = Authority(key, now.AddDays(-20), now.AddDays(-1));
        using X509Certificate2 valid = Authority(key, now.AddDays(-2), now.AddDays(9));
        using X509Certificate2 server = Server(valid);
        string[] pems = [expired.ExportCertificatePem(), valid.ExportCertificatePem()];
        string bundle = string.Join("\r\n# comment\r\n", expiredFirst ? pems : pems.Reverse());
        using var trust = new ServerTrust(new() { Server = new("https://127.0.0.1:1"), CertificateAuthority = CredentialSource.Inline(bundle) });

        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        using Socket client = new(SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(listener.LocalEndpoint, TestContext.Current.CancellationToken);
        using SslStream theirs = new(new NetworkStream(await listener.AcceptSocketAsync(TestContext.Current.CancellationToken), true));
        using SslStream ours = new(new NetworkStream(client));
        Task serving = theirs.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = server }, TestContext.Current.CancellationToken);
        Exception? e = await Record.ExceptionAsync(() => ours.AuthenticateAsClientAsync(trust.Options(null), TestContext.Current.CancellationToken));
        Assert.Null(trust.Refusal);
        Assert.Null(e);
        await serving;
    }

    private static X509Certificate2 Authority(ECDsa key, DateTimeOffset from, DateTimeOffset until)
    {
        var request = new CertificateRequest("CN=kubernetes", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return request.CreateSelfSigned(from, until);
    }

    private static X509Certificate2 Server(X509Certificate2 authority)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=kube-apiserver", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 issued = request.Create(authority, authority.NotBefore, authority.NotAfter, [1, 2, 3]);
        return issued.CopyWithPrivateKey(key);
    }
}
