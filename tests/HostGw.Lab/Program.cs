using HostGw.Lab;

return await Commands.RunAsync(args, Console.Error);
