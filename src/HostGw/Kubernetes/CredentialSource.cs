namespace HostGw.Kubernetes;

/// <summary>A token, certificate or key, given inline or kept in a file that somebody else renews. Never prints what it holds.</summary>
internal sealed class CredentialSource
{
    private readonly string? _inline;

    private CredentialSource(string? path, string? inline)
    {
        Path = path;
        _inline = inline;
    }

    /// <summary>Null when the value was given inline.</summary>
    public string? Path { get; }

    public static CredentialSource File(string path) => new(path, null);

    public static CredentialSource Inline(string text) => new(null, text);

    /// <summary>The value as it is now. A file is read every time: kubelet swaps a symbolic link, which leaves no time stamp to compare.</summary>
    /// <exception cref="ApiException">The file cannot be read or is empty.</exception>
    public string Read()
    {
        if (Path is null)
            return _inline!;
        try
        {
            string text = System.IO.File.ReadAllText(Path).Trim();
            return text.Length > 0 ? text : throw new ApiException($"{Path} is empty");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ApiException($"Cannot read {Path}: {e.Message}", e);
        }
    }

    public override string ToString() => Path ?? "(given inline)";
}
