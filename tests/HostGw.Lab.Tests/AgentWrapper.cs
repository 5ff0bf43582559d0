using System.Runtime.Versioning;
using HostGw.Lab.Agents;

namespace HostGw.Lab.Tests;

/// <summary>Agents are started by a script for as long as this lives.</summary>
[SupportedOSPlatform("linux")]
internal sealed class AgentWrapper : IDisposable
{
    private const string Variable = "LAB_AGENT";

    private readonly string _folder = Directory.CreateTempSubdirectory("hostgw-wrapper").FullName;
    private readonly string? _before = Environment.GetEnvironmentVariable(Variable);

    /// <param name="script">Lines of sh; "$@" is the agent with its arguments, $0 the script's own folder.</param>
    public AgentWrapper(string script)
    {
        string path = Path.Combine(_folder, "agent");
        File.WriteAllText(path, $"#!/bin/sh\nset -e\nset -- {AgentBinary.Find()} \"$@\"\n{script.Replace("$0", _folder, StringComparison.Ordinal)}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Environment.SetEnvironmentVariable(Variable, path);
    }

    /// <summary>A file beside the script.</summary>
    public string PathOf(string name) => Path.Combine(_folder, name);

    public void Dispose()
    {
        Environment.SetEnvironmentVariable(Variable, _before);
        Directory.Delete(_folder, recursive: true);
    }
}
