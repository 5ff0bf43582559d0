using HostGw.Lab;

return await Commands.Create().Parse(args).InvokeAsync();
