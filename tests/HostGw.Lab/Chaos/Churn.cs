using System.Globalization;
using HostGw.FakeApi;
using HostGw.Lab.Agents;

namespace HostGw.Lab.Chaos;

/// <summary>A day of joins, leaves and re-creations with other podCIDRs, some of them claimed twice, in a minute.</summary>
internal static class Churn
{
    private const int Names = 80, FirstAddress = 120;
    private const int PodCidrs = 110, FirstPodCidr = 120;
    private const double MoreMemoryMB = 6;
    private const int MoreDescriptors = 8;

    private static readonly DateTimeOffset Founded = new(2026, 2, 1, 0, 0, 0, TimeSpan.Zero);

    public static Fault Fault { get; } = new("24 h of churn: nodes join, leave, come again with other podCIDRs", RunAsync, _ => Task.CompletedTask) { AgentsWork = false };

    private static async Task RunAsync(Stage stage)
    {
        int changes = stage.IsLong ? 10_000 : 200;
        HashSet<string> present = [];
        Footprint before = default;
        for (int i = 0; i < changes; i++)
        {
            Change(stage, present, i);
            await InterfereAsync(stage, i);
            // Every structure has had its size by then.
            if (i == changes / 5)
            {
                await stage.SettleAsync();
                before = Footprint.Of(stage.First);
            }
        }
        await stage.SettleAsync();
        string? failure = stage.Fresh();
        await LeaveAsync(stage, present);
        Footprint after = Footprint.Of(stage.First);
        stage.Note = string.Create(CultureInfo.InvariantCulture, $"{changes} changes, seed {stage.Seed}; memory {before.MB:0.0} → {after.MB:0.0} MB, descriptors {before.Descriptors} → {after.Descriptors}");
        if (failure is not null)
            throw new InvalidOperationException($"{failure} ({stage.Note})");
        if (after.MB > before.MB + MoreMemoryMB || after.Descriptors > before.Descriptors + MoreDescriptors)
            throw new InvalidOperationException($"the agent grows: {stage.Note}");
    }

    private static void Change(Stage stage, HashSet<string> present, int moment)
    {
        int number = stage.Random.Next(Names);
        string name = $"churn-{number}";
        bool isThere = present.Contains(name);
        if (isThere && stage.Random.Next(3) > 0)
        {
            stage.Withdraw(name);
            present.Remove(name);
            if (stage.Random.Next(2) == 0)
                return;
        }
        int cidr = FirstPodCidr + stage.Random.Next(PodCidrs);
        int address = FirstAddress + (isThere ? (number + 1) % Names : number);
        stage.Announce(new NodeSpec(name)
        {
            PodCidrs = [$"192.168.{cidr}.0/24", $"fd00:192:168:{cidr}::/64"],
            InternalIPs = [$"10.0.0.{address}", $"fd00:10::{address}"],
            CreatedAt = Founded.AddSeconds(moment),
        });
        present.Add(name);
    }

    // A day has its quiet moments and its bad ones.
    private static async Task InterfereAsync(Stage stage, int moment)
    {
        if (stage.Random.Next(12) == 0)
            await Task.Delay(stage.Random.Next(60));
        if (moment % 500 == 499)
            stage.Api.CutConnections();
        if (moment % 1500 == 1499)
        {
            stage.Api.CompactHistory();
            stage.Api.ExpireWatches();
        }
    }

    private static async Task LeaveAsync(Stage stage, HashSet<string> present)
    {
        foreach (string name in present)
            stage.Withdraw(name);
        await stage.SettleAsync();
    }

    private readonly record struct Footprint(double MB, int Descriptors)
    {
        public static Footprint Of(Agent agent)
        {
            string line = File.ReadLines($"/proc/{agent.ProcessId}/smaps_rollup").First(l => l.StartsWith("Pss_Anon:", StringComparison.Ordinal));
            double kilobytes = double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
            return new(kilobytes / 1024, Directory.GetFiles($"/proc/{agent.ProcessId}/fd").Length);
        }
    }
}
