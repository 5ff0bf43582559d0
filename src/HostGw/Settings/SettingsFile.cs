using System.CommandLine;
using System.Text;

namespace HostGw.Settings;

/// <summary>Finds and reads the settings file.</summary>
internal static class SettingsFile
{
    public const string DefaultPath = "/etc/hostgw/config.yaml";

    private const int MaxBytes = 1 << 20;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Adds an error if the file cannot be read; none if only the default one is missing.</summary>
    public static SettingValues Read(
        ParseResult flags, IReadOnlyDictionary<string, string> environment, string defaultPath, List<string> errors)
    {
        (string path, string? where) = Locate(flags, environment, defaultPath);
        if (where is null && !File.Exists(path))
            return [];
        try
        {
            return new YamlSource(Quoted.Plain(path), errors).Read(StrictUtf8.GetString(ReadBounded(path)).TrimStart('\uFEFF'));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            string reason = e is DecoderFallbackException ? "it is not UTF-8 text" : Quoted.Plain(e.Message);
            errors.Add($"config: {Quoted.From(path)} ({where ?? "default"}) cannot be read: {reason}");
            return [];
        }
    }

    private static (string Path, string? Where) Locate(
        ParseResult flags, IReadOnlyDictionary<string, string> environment, string defaultPath)
    {
        if (FlagSource.Text(flags, SettingsOptions.ConfigFlag) is { Length: > 0 } flag)
            return (flag, $"flag {SettingsOptions.ConfigFlag}");
        return environment.GetValueOrDefault(EnvironmentSource.ConfigVariable) is { Length: > 0 } variable
            ? (variable, $"variable {EnvironmentSource.ConfigVariable}")
            : (SandboxPath.Of(defaultPath), null);
    }

    // The length is not asked for: a pipe or a device has none.
    private static byte[] ReadBounded(string path)
    {
        using FileStream file = File.OpenRead(path);
        byte[] buffer = new byte[MaxBytes + 1];
        int length = file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        return length <= MaxBytes ? buffer[..length] : throw new IOException("it is larger than 1 MB");
    }
}
