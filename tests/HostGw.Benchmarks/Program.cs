
using HostGw.Benchmarks;
using HostGw.Benchmarks.Figures;
using HostGw.Benchmarks.Pure;
using HostGw.Benchmarks.Whole;
using HostGw.Lab;

const int ExitUsage = 2, ExitNoRights = 4, QuietRoutes = 65_536;

if (Selection.Parse(args) is not { } selection)
    return Complain(Selection.Usage, ExitUsage);
if (!Box.IsInside && !Box.MayEnter)
    return Complain("the benchmarks need root, for network namespaces: sudo make bench", ExitNoRights);
if (!Box.IsInside)
    Box.Enter(args);

string artifacts = Path.Combine(Repository.Root, "artifacts");
IReadOnlyList<Build> builds = Build.Find(Repository.Root);
if (selection.NeedsBuild && builds.Count == 0)
    return Complain("no agent is published: make publish", 1);

var report = new Report(Console.Out);
MachineFacts machine = MachineFacts.Read();
report.Say($"{machine}\nsources {HostGw.AgentVersion.Full}; {string.Join(", ", builds.Select(build => $"{build.Name} {build.Version}"))}");
if (selection.Has(Selection.Pure))
    report.Add("Pure parts", PureParts.Measure(artifacts));
if (selection.Has(Selection.Pass))
    report.Add("One pass", QuietPass.Measure(QuietRoutes));
if (selection.Has(Selection.Tunnel))
{
    await using TunnelledCluster cluster = await TunnelledCluster.CreateAsync();
    report.Add($"Pod packets are dropped, {builds[0].Name}", await TunnelSwitch.MeasureAsync(cluster, builds[0]));
    report.Add($"The tunnel, {builds[0].Name}", await TunnelCost.MeasureAsync(cluster, builds[0]));
}
if (selection.NeedsSite)
    await new WholeProcess(selection, builds, report).MeasureAsync();

string path = Path.Combine(artifacts, "bench.json");
using (FileStream file = File.Create(path))
    BenchJson.Write(file, new(machine, HostGw.AgentVersion.Full, builds.ToDictionary(build => build.Name, build => build.Version), DateTimeOffset.UtcNow), report.Figures);
report.Say($"\nAll figures are in {Path.GetRelativePath(Environment.CurrentDirectory, path)}.");
return report.Conclude();

static int Complain(string what, int exitCode)
{
    Console.Error.WriteLine(what);
    return exitCode;
}
