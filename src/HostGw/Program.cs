using System.CommandLine;
using HostGw.Commands;

ParseResult parsed = CommandLine.Build().Parse(args);
int exitCode = await parsed.InvokeAsync();
return parsed.Errors.Count > 0 ? ExitCodes.Usage : exitCode;
