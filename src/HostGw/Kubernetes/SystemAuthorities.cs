using System.Runtime.InteropServices;

namespace HostGw.Kubernetes;

/// <summary>
/// The authorities that the system trusts. On Linux .NET reads them all, hundreds of files, for every chain: even for one
/// that must end in the cluster's own authority, where none of them counts.
/// </summary>
internal static partial class SystemAuthorities
{
    /// <summary>From now on this process has none. To be called before its first TLS connection.</summary>
    /// <remarks>https://docs.openssl.org/master/man3/X509_get_default_cert_file/</remarks>
    public static void LeaveOut()
    {
        if (!OperatingSystem.IsLinux())
            return;
        // Where OpenSSL looks: .NET's own set of variables is not the process's.
        _ = setenv("SSL_CERT_FILE", "/dev/null", overwrite: 1);
        _ = setenv("SSL_CERT_DIR", "/dev/null", overwrite: 1);
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int setenv(string name, string value, int overwrite);
}
