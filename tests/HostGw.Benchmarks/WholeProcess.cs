using HostGw.Benchmarks.Figures;
using HostGw.Benchmarks.Whole;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Benchmarks;

/// <summary>The published agent on one machine of a cluster that grows.</summary>
internal sealed class WholeProcess(Selection selection, IReadOnlyList<Build> builds, Report report)
{
    private const int MostWithIptables = 1_000, MostWithEveryBuild = 1_000, SizeWithoutProbes = 5_000;

    private readonly Memory _memory = new();

    public async Task MeasureAsync()
    {
        await using Site site = await Site.CreateAsync();
        if (selection.Has(Selection.ServerReturn))
        {
            site.Grow(ServerReturn.Size, Site.DescribeSmall);
            report.Add($"{site.Size:N0} nodes: the API server is back, {builds[0].Name}", await ServerReturn.MeasureAsync(site, builds[0]));
            site.Clear();
        }
        if (selection.Has(Selection.Probes))
        {
            site.Grow(ProbeCost.Peers + 1, Site.Describe);
            foreach (Build build in builds)
                report.Add($"{site.Size:N0} nodes: probes, {build.Name}", await ProbeCost.MeasureAsync(site, build));
            site.Clear();
        }
        if (selection.NeedsDigest)
            await DigestAsync(site);
        foreach (Stage stage in Stage.All.Where(stage => selection.Has(Selection.Cold) || stage.Samples > 0))
        {
            site.Grow(stage.Size, Site.Describe);
            if (selection.Has(Selection.Cold))
                report.Add($"{stage.Size:N0} nodes: cold start", await ColdStart.MeasureAsync(site, builds, stage.ColdRuns));
            if (selection.Has(Selection.Repair) && stage.NatLives > 0)
            {
                report.Add(
                    $"{stage.Size:N0} nodes: tunnel and guards, {builds[0].Name}",
                    await TunnelRepair.MeasureAsync(site, builds[0], stage.NatLives));
            }
            if (!selection.NeedsAgent || stage.Samples == 0)
                continue;
            // Of a large cluster only that of what ships: builds[0].
            foreach (Build build in stage.Size > MostWithEveryBuild ? builds.Take(1) : builds)
            {
                report.Add($"{stage.Size:N0} nodes: the life of an agent, {build.Name}", await LifeAsync(site, stage, build));
                if (!selection.Has(Selection.Drift))
                    continue;
                report.Add(
                    $"{stage.Size:N0} nodes: the masquerade rule, {build.Name}", await NatRepair.MeasureAsync(site, build, stage.NatLives));
                report.Add(
                    $"{stage.Size:N0} nodes: the probe address, {build.Name}",
                    await ProbeAddressRepair.MeasureAsync(site, build, stage.NatLives));
            }
            if (selection.Has(Selection.Drift) && stage.Size <= MostWithIptables)
                report.Add($"{stage.Size:N0} nodes: iptables, {builds[0].Name}", await IptablesRepair.MeasureAsync(site, builds[0]));
        }
    }

    private async Task DigestAsync(Site site)
    {
        foreach (int size in DigestCost.Sizes)
        {
            site.Grow(size, DigestCost.Describe);
            report.Add(
                $"{size:N0} nodes: the node digest, {builds[0].Name}",
                await DigestCost.MeasureAsync(site, builds[0], selection.Has(Selection.DigestLong)));
        }
        site.Clear();
    }

    // Lives of an agent for what it costs while nothing happens, and one for how fast it is.
    private async Task<List<Figure>> LifeAsync(Site site, Stage stage, Build build)
    {
        List<Figure> figures = [];
        if (selection.Has(Selection.Heartbeats) || selection.Has(Selection.Memory))
        {
            figures.AddRange(await QuietLifeAsync(site, stage, build));
            if (stage.Size == SizeWithoutProbes)
                figures.AddRange(await LifeWithoutProbesAsync(site, stage, build));
        }
        if (!selection.Has(Selection.Join) && !selection.Has(Selection.Drift))
            return figures;
        site.Reset();
        using AgentProcess agent = await ColdStart.StartedAsync(site, build);
        await agent.QuietAsync();
        using var news = new KernelNews(site.Machine, NETLINK_ROUTE, RTNLGRP_IPV4_ROUTE);
        if (selection.Has(Selection.Join))
            figures.AddRange(await Latencies.MeasureAsync(site, build, agent, news, stage.Samples));
        if (selection.Has(Selection.Drift))
            figures.AddRange(await RouteRepair.MeasureAsync(site, build, agent, news, stage.Samples));
        return figures;
    }

    private async Task<List<Figure>> QuietLifeAsync(Site site, Stage stage, Build build)
    {
        site.Reset();
        using AgentProcess agent = await ColdStart.StartedAsync(site, build);
        await agent.QuietAsync();
        List<Figure> figures = [.. await Heartbeats.MeasureAsync(site, build, agent, stage.WarmUp, stage.Heartbeats)];
        if (selection.Has(Selection.Memory))
            figures.AddRange(await _memory.MeasureAsync(site, build, agent));
        return figures;
    }

    // What the probes add: their peers exist as Node objects only, and are asked in vain.
    private async Task<List<Figure>> LifeWithoutProbesAsync(Site site, Stage stage, Build build)
    {
        site.Reset();
        using AgentProcess agent = await ColdStart.StartedAsync(site, build, "--probe-enabled", "false");
        await agent.QuietAsync();
        IReadOnlyList<Figure> heartbeats = await Heartbeats.MeasureAsync(site, build, agent, stage.WarmUp, stage.Heartbeats);
        List<Figure> figures = [heartbeats.Single(f => f.Name == Names.HeartbeatCpu) with { Name = Names.HeartbeatCpuWithoutProbes }];
        if (selection.Has(Selection.Memory))
            figures.Add(await Memory.MeasureWithoutProbesAsync(site, build, agent));
        return figures;
    }
}
