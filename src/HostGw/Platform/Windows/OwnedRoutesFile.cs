namespace HostGw.Platform.Windows;

/// <summary>The record of our routes on disk: replaced as a whole, so that no crash leaves half of one.</summary>
internal sealed class OwnedRoutesFile(string directory)
{
    private const string Name = "routes.state";

    private readonly string _path = Path.Combine(directory, Name);

    /// <summary>Empty where there is no file yet.</summary>
    /// <param name="problem">Why some of it means nothing to us; empty: all does.</param>
    /// <exception cref="StateFileException">It cannot be read.</exception>
    public OwnedRoutes Read(out string problem)
    {
        OwnedRoutes routes = new();
        problem = "";
        try
        {
            int unreadable = routes.Read(File.ReadLines(_path));
            if (unreadable > 0)
                problem = $"{_path} holds {unreadable} lines that cannot be read: routes of ours that they named count as somebody else's";
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            // Nothing was made on this host yet.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Without it the first new route would take the place of all that it holds.
            throw new StateFileException($"read {_path}: {e.Message}", e);
        }
        return routes;
    }

    /// <exception cref="StateFileException">It cannot be written.</exception>
    public void Write(OwnedRoutes routes)
    {
        try
        {
            StateDirectory.Make(directory);
            WholeFile.Write(_path, _path + ".new", stream =>
            {
                using StreamWriter writer = new(stream, leaveOpen: true);
                foreach (string line in routes.Write())
                    writer.WriteLine(line);
            });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StateFileException($"write {_path}: {e.Message}", e);
        }
    }
}

/// <summary>A file in the state directory cannot be read or written.</summary>
internal sealed class StateFileException(string message, Exception inner) : HostNetworkException(message, inner)
{
    public override bool IsNotFound => false;
}
