using System.Globalization;
using HostGw.Lab;
using HostGw.Lab.Agents;
using HostGw.Storms;
using HostGw.Storms.Readers;

const int ExitUsage = 2, ExitNoRights = 4;

if (args is [ReaderProcess.Command, ..])
    return ReaderProcess.Run(args, Console.In, Console.Out);

// hostgw-storms [AGENTS] [STORM…]
bool isSmaller = args is [var first, ..] && int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out _);
string[] words = isSmaller ? args[1..] : args;
if (words.Any(word => AllStorms.Of.All(storm => storm.Name != word)))
    return Complain($"usage: hostgw-storms [AGENTS] [STORM…]; storms: {string.Join(", ", AllStorms.Of)} (all, unless said)", ExitUsage);
if (AgentBinary.TryFind() is null)
    return Complain(AgentBinary.NotFound, 1);
if (!Box.IsInside && !Box.MayEnter)
    return Complain("storms need root, for network namespaces: sudo make storms", ExitNoRights);
if (!Box.IsInside)
    Box.Enter(args);

int agents = isSmaller ? int.Parse(args[0], CultureInfo.InvariantCulture) : StormSettings.Long.Agents;
StormSettings settings = StormSettings.Long with { Agents = agents, Nodes = agents };
return await StormRun.RunAsync(settings, words, Console.Out) ? 0 : 1;

static int Complain(string what, int exitCode)
{
    Console.Error.WriteLine(what);
    return exitCode;
}
