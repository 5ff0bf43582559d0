using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace HostGw.FakeApi.Security;

/// <summary>The text of a kubeconfig with everything inside it, except a token file.</summary>
internal static class Kubeconfig
{
    public static string Write(string server, string caPem, string user, string credential) =>
        $"""
        apiVersion: v1
        kind: Config
        current-context: fake
        clusters:
        - name: fake
          cluster:
            server: {server}
            certificate-authority-data: {Base64(caPem)}
        contexts:
        - name: fake
          context:
            cluster: fake
            user: {user}
        users:
        - name: {user}
          user:
        {credential}

        """;

    public static string Token(string token) => $"    token: {token}";

    public static string TokenFile(string path) => $"    tokenFile: {path}";

    public static string Certificate(X509Certificate2 certificate)
    {
        string key = certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem();
        return $"    client-certificate-data: {Base64(certificate.ExportCertificatePem())}\n    client-key-data: {Base64(key)}";
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
