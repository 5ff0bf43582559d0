using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace HostGw.FakeApi.Security;

/// <summary>A certificate authority for one server, made at its start and gone with it. Elliptic keys: they cost no time.</summary>
internal sealed class CertificateAuthority : IDisposable
{
    private const string ServerUse = "1.3.6.1.5.5.7.3.1";
    private const string ClientUse = "1.3.6.1.5.5.7.3.2";

    private const int P256Bytes = 32;

    private readonly X509Certificate2 _root;

    public CertificateAuthority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=hostgw-fake-api", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        _root = UntilWineReadsIt(() => request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-30), DateTimeOffset.UtcNow.AddDays(30)));
    }

    public string Pem => _root.ExportCertificatePem();

    public X509Certificate2 IssueServer(IEnumerable<string> names)
    {
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (string name in names.Distinct(StringComparer.Ordinal))
        {
            if (IPAddress.TryParse(name, out IPAddress? address))
                alternatives.AddIpAddress(address);
            else
                alternatives.AddDnsName(name);
        }
        return Issue("CN=kube-apiserver", ServerUse, TimeSpan.FromDays(7), alternatives.Build());
    }

    /// <summary>A client certificate: CN is the user, every O a group.</summary>
    public X509Certificate2 IssueClient(string user, IEnumerable<string> groups, TimeSpan validFor) =>
        Issue(string.Join(",", [.. groups.Select(g => $"O={g}"), $"CN={user}"]), ClientUse, validFor, null);

    /// <summary>Whether this authority signed it and it is valid now.</summary>
    public bool Trusts(X509Certificate2 certificate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(_root);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ClientUse));
        return chain.Build(certificate);
    }

    public void Dispose() => _root.Dispose();

    private X509Certificate2 Issue(string subject, string use, TimeSpan validFor, X509Extension? alternatives)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(use)], false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_root, true, false));
        if (alternatives is not null)
            request.CertificateExtensions.Add(alternatives);

        DateTimeOffset until = DateTimeOffset.UtcNow + validFor;
        DateTimeOffset from = until < DateTimeOffset.UtcNow ? until.AddHours(-1) : DateTimeOffset.UtcNow.AddMinutes(-30);
        using X509Certificate2 signed = UntilWineReadsIt(() => request.Create(_root, from, until, RandomNumberGenerator.GetBytes(16)));
        return signed.CopyWithPrivateKey(key);
    }

    // Of an elliptic signature, Wine 8 takes its two numbers for as long as they can be: one in 128 is shorter, and not believed.
    private static X509Certificate2 UntilWineReadsIt(Func<X509Certificate2> sign)
    {
        while (true)
        {
            X509Certificate2 signed = sign();
            AsnReader certificate = new AsnReader(signed.RawDataMemory, AsnEncodingRules.DER).ReadSequence();
            certificate.ReadEncodedValue();
            certificate.ReadEncodedValue();
            AsnReader signature = new AsnReader(certificate.ReadBitString(out _), AsnEncodingRules.DER).ReadSequence();
            if (Length(signature) == P256Bytes && Length(signature) == P256Bytes)
                return signed;
            signed.Dispose();
        }

        static int Length(AsnReader numbers) => numbers.ReadIntegerBytes().Span.TrimStart((byte)0).Length;
    }
}
