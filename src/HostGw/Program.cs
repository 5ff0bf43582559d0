using System.Security.Cryptography;
using HostGw.Cli;

// What arrives is read on the thread that noticed it, which is woken once and not twice. Read when the first socket opens.
Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");

// OpenSSL takes long to load: it does while the command line and the settings are read.
_ = Task.Run(static () => SHA256.HashData([]));

return await CommandLine.RunAsync(args, Console.Out, Console.Error);
