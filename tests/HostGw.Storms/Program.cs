using System.Globalization;
using HostGw.Lab;
using HostGw.Lab.Agents;
using HostGw.Storms;
using HostGw.Storms.Readers;

const int ExitUsage = 2, ExitNoRights = 4;

if (args is [ReaderProcess.Command, ..])
    return ReaderProcess.Run(args, Console.In, Console.Out);

// hostgw-storms [AGENTS] [STORM…]
bool hasCount = args is [var first, ..] && int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out _);
string[] words = hasCount ? args[1..] : args;
if (words.Except(AllStorms.All.Select(storm => storm.Name)).Any())
    return Complain($"usage: hostgw-storms [AGENTS] [STORM…]; storms: {string.Join(", ", AllStorms.All)} (all, unless said)", ExitUsage);
if (AgentBinary.TryFind() is null)
    return Complain(AgentBinary.NotFound, 1);
if (!Box.IsInside && !Box.MayEnter)
    return Complain("storms need root, for network namespaces: sudo make storms", ExitNoRights);
if (!Box.IsInside)
    Box.Enter(args);

int agents = hasCount ? int.Parse(args[0], CultureInfo.InvariantCulture) : StormSettings.Long.Agents;
if (agents > Descriptors.MostConnections)
    return Complain($"{agents:N0} agents have as many connections at least, and a process may have {Descriptors.MostConnections:N0}: ulimit -Hn", 1);
StormSettings settings = StormSettings.Long with { Agents = agents, Nodes = agents };
return await StormRun.RunAsync(settings, words, Console.Out) ? 0 : 1;

static int Complain(string what, int exitCode)
{
    Console.Error.WriteLine(what);
    return exitCode;
}
