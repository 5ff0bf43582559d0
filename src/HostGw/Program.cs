using HostGw.Commands;

return await CommandLine.RunAsync(args, Console.Out, Console.Error);
