using System.Text;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace HostGw.Kubernetes;

/// <summary>A kubeconfig file. Paths in it are relative to the file.</summary>
/// <remarks>https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/</remarks>
internal sealed class Kubeconfig
{
    private const int MaxDepth = 64;

    private const string OtherCredentials = "give the user a token, a tokenFile, an exec plugin or client-certificate and client-key " +
        "(kubectl create token makes a service account's)";

    private const string OtherUser = "use the credentials of the user who is to be impersonated";

    private static readonly (string Key, string Cure)[] Unsupported =
    [
        ("auth-provider", OtherCredentials),
        ("username", OtherCredentials),
        ("password", OtherCredentials),
        ("as", OtherUser),
        ("as-uid", OtherUser),
        ("as-groups", OtherUser),
        ("as-user-extra", OtherUser),
        ("proxy-url", "give an address that this node reaches directly (--api-server)"),
    ];

    private static readonly string[] ClusterKeys =
    [
        "server", "certificate-authority", "certificate-authority-data", "insecure-skip-tls-verify", "tls-server-name",
        "disable-compression", "extensions",
    ];

    private static readonly string[] UserKeys =
    [
        "token", "tokenFile", "client-certificate", "client-certificate-data", "client-key", "client-key-data", "exec", "extensions",
    ];

    private static readonly string[] ExecKeys =
        ["apiVersion", "command", "args", "env", "interactiveMode", "provideClusterInfo", "installHint"];

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
            if (Directory.Exists(path))
                throw new IOException(CredentialSource.IsFolder);
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
            // The parser's message quotes the text, which may be a token: only the place is reported.
            throw new ApiConfigurationException($"{path} is not YAML: line {e.Start.Line}, column {e.Start.Column}");
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            // Other exceptions of the parser may quote the text, too.
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
        string clusterName = Text(context, "cluster") ?? throw Wrong($"names no cluster in context '{contextName}'");
        YamlMappingNode cluster = Named("clusters", "cluster", clusterName);
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
            Exec = Exec(cluster, user),
        };
    }

    // What is not known is refused, not ignored: a misspelt key would otherwise mean other credentials or less trust.
    private void RefuseUnsupported(YamlMappingNode cluster, YamlMappingNode user)
    {
        foreach ((string key, string cure) in Unsupported)
        {
            if (Child(user, key) is not null || Child(cluster, key) is not null)
                throw Wrong($"has '{key}', which is not supported: {cure}");
        }
        RefuseUnknown(cluster, "cluster", ClusterKeys);
        RefuseUnknown(user, "user", UserKeys);
    }

    private void RefuseUnknown(YamlMappingNode node, string kind, string[] known)
    {
        string? unknown = node.Children.Keys
            .Select(k => k is YamlScalarNode { Value: { } name } ? name : "?")
            .FirstOrDefault(k => !known.Contains(k) && !Unsupported.Any(u => u.Key == k));
        if (unknown is not null)
            throw Wrong($"has '{ApiStatus.OneLine(unknown)}' in its {kind}, which is not known: remove it, or correct its spelling");
    }

    private ExecPlugin? Exec(YamlMappingNode cluster, YamlMappingNode user)
    {
        if (Child(user, "exec") is null)
            return null;
        YamlMappingNode exec = Child(user, "exec") as YamlMappingNode ?? [];
        RefuseUnknown(exec, "exec", ExecKeys);
        if (Text(user, "token") is not null || Text(user, "tokenFile") is not null || FileOrData(user, "client-certificate") is not null)
            throw Wrong("has an exec plugin and another credential of the same user: remove one");
        string version = Text(exec, "apiVersion") ?? "";
        if (version is not ("client.authentication.k8s.io/v1" or "client.authentication.k8s.io/v1beta1"))
            throw Wrong($"has an exec plugin of apiVersion '{version}': update the plugin to client.authentication.k8s.io/v1");
        if (Text(exec, "interactiveMode") == "Always")
            throw Wrong("has an exec plugin that needs a terminal (interactiveMode: Always): use a plugin or a token that asks nobody");
        bool provides = Flag(exec, "provideClusterInfo");
        if (provides && Child(cluster, "extensions") is not null)
            throw Wrong("has extensions for its exec plugin, which are not handed over: give their content as args or env");
        string command = Text(exec, "command") ?? throw Wrong("has an exec plugin without a command");
        return new(version, command.Contains('/') ? Absolute(command) : command, [.. Scalars(exec, "args")])
        {
            Environment = [.. Variables(exec)],
            ProvideClusterInfo = provides,
            InstallHint = Text(exec, "installHint") ?? "",
        };
    }

    private IEnumerable<string> Scalars(YamlMappingNode node, string key)
    {
        foreach (YamlNode item in Sequence(node, key))
            yield return (item as YamlScalarNode)?.Value ?? throw Wrong($"has {key} that are not text");
    }

    private IEnumerable<KeyValuePair<string, string>> Variables(YamlMappingNode exec)
    {
        foreach (YamlNode item in Sequence(exec, "env"))
        {
            yield return item is YamlMappingNode variable && Text(variable, "name") is { } name
                ? new(name, Text(variable, "value") ?? "")
                : throw Wrong("has an env of its exec plugin without a name");
        }
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

    // The parser recurses for each level, and a stack overflow cannot be caught.
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
        YamlMappingNode[] entries =
            [.. (Child(_root, list) as YamlSequenceNode ?? []).OfType<YamlMappingNode>().Where(e => Text(e, "name") == name)];
        return entries switch
        {
            [] => throw Wrong($"has no {kind} '{name}' in {list}"),
            [var entry] => Child(entry, kind) as YamlMappingNode ?? [],
            _ => throw Wrong($"has two {list} of the name '{name}': remove one"),
        };
    }

    private YamlSequenceNode Sequence(YamlMappingNode node, string key) => Child(node, key) switch
    {
        null => [],
        YamlSequenceNode sequence => sequence,
        _ => throw Wrong($"has {key} that are no list"),
    };

    private bool Flag(YamlMappingNode node, string key) => Text(node, key) switch
    {
        null or "false" => false,
        "true" => true,
        _ => throw Wrong($"has a {key} that is neither true nor false"),
    };

    // Programs that know every field write null where there is nothing.
    private static YamlNode? Child(YamlMappingNode node, string key) =>
        node.Children.TryGetValue(key, out YamlNode? child) &&
        child is not YamlScalarNode { Style: ScalarStyle.Plain, Value: null or "" or "~" or "null" or "Null" or "NULL" }
            ? child
            : null;

    private static string? Text(YamlMappingNode node, string key) =>
        Child(node, key) is YamlScalarNode { Value: { Length: > 0 } text } ? text : null;

    private ApiConfigurationException Wrong(string what) => new($"The kubeconfig {_path} {what}");
}
