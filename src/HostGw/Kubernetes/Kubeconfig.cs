using System.Text;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace HostGw.Kubernetes;

/// <summary>A kubeconfig file. Paths in it are relative to the file.</summary>
/// <remarks>https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/</remarks>
internal sealed class Kubeconfig
{
    private const int MaxDepth = 64;

    private readonly string _path;
    private readonly YamlMappingNode _root;

    private Kubeconfig(string path, YamlMappingNode root)
    {
        _path = path;
        _root = root;
    }

    public static Kubeconfig Load(string path)
    {
        try
        {
            string text = File.ReadAllText(path);
            RefuseDeep(text, path);
            var yaml = new YamlStream();
            yaml.Load(new StringReader(text));
            return yaml.Documents is [{ RootNode: YamlMappingNode root }, ..]
                ? new(Path.GetFullPath(path), root)
                : throw new ApiConfigurationException($"{path} is not a kubeconfig: it holds no mapping");
        }
        catch (YamlException e)
        {
            // The parser's own sentence quotes the text, which may be a token: only the place is told.
            throw new ApiConfigurationException($"{path} is not YAML: line {e.Start.Line}, column {e.Start.Column}");
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            // What its authors did not think of. Of such a sentence, too, nobody knows what it quotes.
            throw new ApiConfigurationException($"{path} is not YAML that can be read");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ApiConfigurationException($"Cannot read the kubeconfig {path}: {e.Message}", e);
        }
    }

    public ApiConfiguration CurrentConfiguration(string? server)
    {
        string contextName = Text(_root, "current-context") ?? throw Wrong("has no current-context (kubectl config use-context NAME)");
        YamlMappingNode context = Named("contexts", "context", contextName);
        YamlMappingNode cluster = Named("clusters", "cluster", Text(context, "cluster") ?? throw Wrong($"names no cluster in context '{contextName}'"));
        YamlMappingNode user = Text(context, "user") is { } name ? Named("users", "user", name) : [];
        RefuseUnsupported(cluster, user);

        server ??= Text(cluster, "server") ?? throw Wrong("has no server in its cluster");
        return new()
        {
            Server = ApiConfiguration.ParseServer(server),
            CertificateAuthority = FileOrData(cluster, "certificate-authority"),
            SkipTlsVerify = Flag(cluster, "insecure-skip-tls-verify"),
            TlsServerName = Text(cluster, "tls-server-name"),
            Token = Token(user),
            ClientCertificate = FileOrData(user, "client-certificate"),
            ClientKey = FileOrData(user, "client-key"),
        };
    }

    private void RefuseUnsupported(YamlMappingNode cluster, YamlMappingNode user)
    {
        const string Instead = "give the user a token, a tokenFile or client-certificate and client-key (kubectl create token makes a service account's)";
        if (Child(user, "exec") is not null || Child(user, "auth-provider") is not null)
            throw Wrong($"gets its credentials from a plugin (exec or auth-provider), which is not supported: {Instead}");
        if (Child(user, "username") is not null || Child(user, "password") is not null)
            throw Wrong($"has a user name and password, which Kubernetes no longer accepts: {Instead}");
        if (Child(user, "as") is not null)
            throw Wrong("impersonates another user (as), which is not supported: use that user's own credentials");
        if (Child(cluster, "proxy-url") is not null)
            throw Wrong("asks for a proxy (proxy-url), which is not supported: give an address that this node reaches directly (--api-server)");
    }

    // As in client-go, the data wins over the file, and the token's file over the token.
    private CredentialSource? FileOrData(YamlMappingNode node, string key)
    {
        if (Text(node, key + "-data") is { } data)
        {
            byte[] bytes = new byte[data.Length];
            return Convert.TryFromBase64String(data, bytes, out int length)
                ? CredentialSource.Inline(Encoding.UTF8.GetString(bytes, 0, length))
                : throw Wrong($"has a {key}-data that is not base64");
        }
        return Text(node, key) is { } path ? CredentialSource.File(Absolute(path)) : null;
    }

    private CredentialSource? Token(YamlMappingNode user) =>
        Text(user, "tokenFile") is { } path ? CredentialSource.File(Absolute(path))
        : Text(user, "token") is { } token ? CredentialSource.Inline(token)
        : null;

    private string Absolute(string path) => path.Contains('\0')
        ? throw Wrong("names a file whose name cannot be one")
        : Path.GetFullPath(path, Path.GetDirectoryName(_path)!);

    // Loading calls itself for each level, and nothing catches a stack that overflows.
    private static void RefuseDeep(string text, string path)
    {
        var parser = new Parser(new StringReader(text));
        for (int depth = 0; parser.MoveNext();)
        {
            depth += parser.Current!.NestingIncrease;
            if (depth > MaxDepth)
                throw new ApiConfigurationException($"{path} is not a kubeconfig: it is nested more than {MaxDepth} deep");
        }
    }

    private YamlMappingNode Named(string list, string kind, string name)
    {
        foreach (YamlNode item in Child(_root, list) as YamlSequenceNode ?? [])
        {
            if (item is YamlMappingNode entry && Text(entry, "name") == name)
                return Child(entry, kind) as YamlMappingNode ?? [];
        }
        throw Wrong($"has no {kind} '{name}' in {list}");
    }

    private bool Flag(YamlMappingNode node, string key) => Text(node, key) switch
    {
        null or "false" => false,
        "true" => true,
        _ => throw Wrong($"has a {key} that is neither true nor false"),
    };

    private static YamlNode? Child(YamlMappingNode node, string key) => node.Children.TryGetValue(key, out YamlNode? child) ? child : null;

    private static string? Text(YamlMappingNode node, string key) =>
        Child(node, key) is YamlScalarNode { Value: { Length: > 0 } text } ? text : null;

    private ApiConfigurationException Wrong(string what) => new($"The kubeconfig {_path} {what}");
}
