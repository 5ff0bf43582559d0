namespace HostGw.Nodes;

/// <summary>The file in the state directory.</summary>
internal sealed class SavedNodesFile(string directory)
{
    /// <summary>A cluster of 100,000 nodes.</summary>
    public const int MaxBytes = 64 * 1024 * 1024;

    private const string Name = "nodes";

    private readonly string _temporary = System.IO.Path.Combine(directory, Name + ".tmp");

    public string Path { get; } = System.IO.Path.Combine(directory, Name);

    /// <exception cref="SavedNodesException">It cannot be written; the one before stands.</exception>
    public void Write(Action<Stream> write)
    {
        try
        {
            StateDirectory.Make(directory);
            AtomicFile.Write(Path, _temporary, write);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SavedNodesException(e.Message, e);
        }
    }

    /// <summary>What is there; null where there is nothing.</summary>
    /// <exception cref="SavedNodesException">It cannot be read, or is too large to be ours.</exception>
    public byte[]? Read()
    {
        try
        {
            FileInfo file = new(Path);
            if (!file.Exists)
                return null;
            // A pipe or device has no length, and reading it might never end.
            if (file.Length is 0 or > MaxBytes)
                throw new SavedNodesException($"its size is {file.Length} bytes");
            byte[] content = File.ReadAllBytes(Path);
            return content.Length <= MaxBytes ? content : throw new SavedNodesException("it grows");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SavedNodesException(e.Message, e);
        }
    }

    /// <summary>Removes it; returns whether it was there.</summary>
    /// <exception cref="SavedNodesException">It cannot be removed.</exception>
    public bool Remove()
    {
        try
        {
            bool existed = File.Exists(Path);
            if (existed)
                File.Delete(Path);
            if (File.Exists(_temporary))
                File.Delete(_temporary);
            return existed;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SavedNodesException(e.Message, e);
        }
    }
}
