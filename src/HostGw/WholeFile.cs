namespace HostGw;

/// <summary>A file that is replaced as a whole: a reader sees the new text or the one before, also after a loss of power.</summary>
internal static class WholeFile
{
    /// <summary>Only its owner may read it.</summary>
    /// <param name="temporary">Where it is written first, in the same directory.</param>
    /// <exception cref="IOException">It cannot be written; the one before stands.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public static void Write(string path, string temporary, Action<Stream> write)
    {
        try
        {
            // Made anew: what somebody has put there under this name, such as a link, is not followed.
            File.Delete(temporary);
            using (FileStream stream = new(temporary, Options()))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Remove(temporary);
            throw;
        }
    }

    private static FileStreamOptions Options()
    {
        FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return options;
    }

    private static void Remove(string temporary)
    {
        try
        {
            File.Delete(temporary);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The directory is read-only: there is none.
        }
    }
}
