using HostGw.Commands;

// What arrives is read on the thread that noticed it, which is woken once and not twice. Read when the first socket opens.
Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");

return await CommandLine.RunAsync(args, Console.Out, Console.Error);
