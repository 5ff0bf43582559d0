using System.Collections.Immutable;
using k8s.Models;

namespace HostGw.Kubernetes;

/// <summary>Where the API server is, how to trust it and as whom to speak.</summary>
/// <remarks>No proxy: HTTPS_PROXY is ignored (it rarely knows the service network) and a kubeconfig's proxy-url is refused.</remarks>
internal sealed class ApiConfiguration
{
    public const string ServiceAccountDirectory = "/var/run/secrets/kubernetes.io/serviceaccount";

    /// <summary>May have a path, below which the API lies.</summary>
    public required Uri Server { get; init; }

    /// <summary>PEM, one or more CAs; nothing else is trusted then. Null: the system's CAs are.</summary>
    public CredentialSource? CertificateAuthority { get; init; }

    public bool SkipTlsVerify { get; init; }

    /// <summary>The name expected in the server's certificate; null: the host of <see cref="Server"/>.</summary>
    public string? TlsServerName { get; init; }

    public CredentialSource? Token { get; init; }

    /// <summary>PEM: the certificate, then its intermediates.</summary>
    public CredentialSource? ClientCertificate { get; init; }

    public CredentialSource? ClientKey { get; init; }

    /// <summary>A program that gives the token or client certificate; it excludes the others.</summary>
    public ExecPlugin? Exec { get; init; }

    /// <summary>The server is the Service `kubernetes`, as pods know it.</summary>
    public bool UsesServiceAddress { get; init; }

    public bool MayUseClientCertificate => ClientCertificate is not null || Exec is not null;

    /// <summary>The pod's service account. <paramref name="server"/> replaces the service's address, which needs kube-proxy.</summary>
    /// <exception cref="ApiConfigurationException">This is no pod.</exception>
    public static ApiConfiguration InClusterConfig(string? server = null) => InClusterConfig(
        Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_HOST"),
        Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_PORT"),
        SandboxPath.Of(ServiceAccountDirectory),
        server);

    public static ApiConfiguration InClusterConfig(string? host, string? port, string directory, string? server)
    {
        bool isService = string.IsNullOrEmpty(server);
        if (isService)
        {
            if (string.IsNullOrEmpty(host) || string.IsNullOrEmpty(port))
                throw new ApiConfigurationException(
                    "Not in a pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set. Give a kubeconfig (--kubeconfig)");
            server = host.Contains(':') && !host.StartsWith('[') ? $"https://[{host}]:{port}" : $"https://{host}:{port}";
        }

        string token = Path.Combine(directory, "token"), ca = Path.Combine(directory, "ca.crt");
        if (!File.Exists(token))
            throw new ApiConfigurationException(
                $"No service account: {token} does not exist. Set automountServiceAccountToken, or give a kubeconfig (--kubeconfig)");

        return new ApiConfiguration
        {
            Server = ParseServer(server!),
            UsesServiceAddress = isService,
            CertificateAuthority = CredentialSource.File(ca),
            Token = CredentialSource.File(token),
        }.Checked();
    }

    /// <summary>The current context of a kubeconfig file; <paramref name="server"/> replaces the cluster's URL.</summary>
    /// <exception cref="ApiConfigurationException">
    /// The file cannot be read or asks for what is not supported; the message says what to use instead.
    /// </exception>
    public static ApiConfiguration BuildConfigFromConfigFile(string path, string? server = null) =>
        Kubeconfig.Load(path).CurrentConfiguration(server).Checked();

    public static Uri ParseServer(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) && uri is { Scheme: "https" or "http", UserInfo: "", Query: "", Fragment: "" }
            ? uri
            : throw new ApiConfigurationException($"'{text}' is not the URL of an API server (write https://HOST:6443)");

    /// <summary>The token's file, or that it was given inline.</summary>
    public string DescribeToken() => Exec is null ? $"{Token}" : $"of {Exec.Command}";

    public override string ToString() => $"{Server} (CA {CertificateAuthority?.ToString() ?? "of the system"})";

    private ApiConfiguration Checked()
    {
        if (SkipTlsVerify && CertificateAuthority is not null)
            throw new ApiConfigurationException("insecure-skip-tls-verify and a certificate authority exclude each other: remove one");
        if (ClientCertificate is null != ClientKey is null)
            throw new ApiConfigurationException("client-certificate and client-key belong together: one of them is missing");
        if (Server.Scheme == "http" && (Token ?? (object?)Exec) is not null && !Server.IsLoopback)
            throw new ApiConfigurationException($"{Server} would carry the token unencrypted: use https");
        return this;
    }
}

/// <summary>The addresses of the API servers that the EndpointSlice `kubernetes` in the namespace `default` names.</summary>
internal static class ApiServerEndpoints
{
    private const int Max = 16;

    // What is no other host's address. Loopback and link-local addresses would let the slice lead the agent to a program of this host.
    private static readonly ImmutableArray<Prefix> Special =
    [
        .. ((string[])["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3", "::/96", "::ffff:0:0/96", "fe80::/10", "ff00::/8"])
            .Select(Prefix.Parse),
    ];

    // RFC 6052: a translator sends what goes there to the IPv4 address in the last 32 bits.
    private static readonly Prefix Translated = Prefix.Parse("64:ff9b::/96");

    /// <summary>The ready endpoints at the port `https`, else at the only one.</summary>
    /// <remarks>https://kubernetes.io/docs/reference/kubernetes-api/service-resources/endpoint-slice-v1/</remarks>
    public static IEnumerable<IPEndPoint> Ready(V1EndpointSlice slice)
    {
        if (Port(slice) is not { } port)
            yield break;
        foreach (V1Endpoint? endpoint in slice.Endpoints ?? [])
        {
            if (endpoint is null or { Conditions.Ready: false })
                continue;
            foreach (string? address in endpoint.Addresses ?? [])
            {
                if (Ip.TryParse(address, out Ip ip))
                    yield return new(ip.ToIPAddress(), port);
            }
        }
    }

    /// <summary>Those that another host may have: at most 16, each once.</summary>
    /// <param name="ownPodCidrs">This node's: addresses inside them are pods'.</param>
    public static ImmutableArray<IPEndPoint> Usable(IEnumerable<IPEndPoint> endpoints, ImmutableArray<Prefix> ownPodCidrs) =>
        [.. endpoints.Where(e => IsUsable(Ip.From(e.Address), ownPodCidrs)).Distinct().Take(Max)];

    private static bool IsUsable(Ip ip, ImmutableArray<Prefix> ownPodCidrs) => IsPlain(ip, ownPodCidrs) &&
        (!Translated.Contains(ip) || IsPlain(Ip.V4((uint)ip.Low), ownPodCidrs));

    private static bool IsPlain(Ip ip, ImmutableArray<Prefix> ownPodCidrs) =>
        !Special.Any(p => p.Contains(ip)) && !ownPodCidrs.Any(p => p.Contains(ip));

    private static int? Port(V1EndpointSlice slice)
    {
        Discoveryv1EndpointPort[] ports =
            [.. (slice.Ports ?? []).Where(p => p is { Protocol: null or "TCP", Port: > 0 and <= ushort.MaxValue })];
        return (Array.Find(ports, p => p.Name == "https") ?? (ports.Length == 1 ? ports[0] : null))?.Port;
    }
}
