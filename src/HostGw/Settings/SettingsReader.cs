using System.Collections.Immutable;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.RegularExpressions;
using HostGw.Planning;

namespace HostGw.Settings;

/// <summary>Reads all settings: a flag wins over a variable, a variable over the file, the file over the default.</summary>
internal static class SettingsReader
{
    /// <summary>Checks the names of all settings, and the values of those that <paramref name="command"/> uses.</summary>
    /// <exception cref="SettingsException">With everything that is wrong.</exception>
    public static AgentSettings Read(
        UsedBy command, ParseResult flags, IReadOnlyDictionary<string, string> environment, string defaultPath = SettingsFile.DefaultPath)
    {
        List<string> errors = [];
        SettingValues values = SettingsFile.Read(flags, environment, defaultPath, errors);
        values.Override(EnvironmentSource.Read(environment, errors));
        values.Override(FlagSource.Read(flags));

        List<string> valueErrors = [];
        AgentSettings settings = Apply(command, values, valueErrors);
        // A rejected value leaves the default in its place, so a check of several settings would report the wrong ones.
        errors.AddRange(valueErrors.Count > 0 ? valueErrors : CheckTogether(settings, values));
        return errors.Count == 0 ? settings : throw new SettingsException(errors);
    }

    // Defaults first: a given value may change the default of a later row (nat.source changes that of nat.randomFully).
    private static AgentSettings Apply(UsedBy command, SettingValues values, List<string> errors)
    {
        var settings = new AgentSettings { Policy = new() { NodeName = "" }, Listen = new(IPAddress.Loopback, 0), ProcSysNet = "" };
        bool IsUsed(Setting setting) => (setting.UsedBy & command) != 0;
        bool IsGiven(Setting setting) => IsUsed(setting) && values.ContainsKey(setting.Name);

        foreach (Setting setting in SettingsTable.Rows.Where(s => !IsGiven(s)))
            settings = TrySet(settings, setting, new(setting.Default, $"default: {setting.DefaultAbout}"), IsUsed(setting) ? errors : []);
        foreach (Setting setting in SettingsTable.Rows.Where(IsGiven))
            settings = TrySet(settings, setting, values[setting.Name], errors);
        return settings;
    }

    private static AgentSettings TrySet(AgentSettings settings, Setting setting, SettingValue value, List<string> errors)
    {
        try
        {
            return setting.Set(settings, value.Text.Trim());
        }
        catch (BadValueException e)
        {
            errors.Add($"{setting.Name}: {e.Message} ({value.Where})");
            return settings;
        }
    }

    // Conflicts between settings that are valid one by one.
    private static IEnumerable<string> CheckTogether(AgentSettings settings, SettingValues values)
    {
        Policy policy = settings.Policy;
        if (policy.ClusterRoute == ClusterRouteMode.On && !policy.ClusterCidrs.Any(p => p.IsIPv4))
        {
            yield return $"clusterRoute: on ({values["clusterRoute"].Where}) needs an IPv4 prefix in clusterCidrs, " +
                "to which the route leads";
        }

        if (policy.PolicyRule && policy.ClusterCidrs.IsEmpty)
            yield return $"policyRule: on ({values["policyRule"].Where}) needs clusterCidrs, to which the rule applies";

        foreach (Prefix service in policy.ServiceCidrs)
        {
            foreach (Prefix cluster in policy.ClusterCidrs.Where(service.Overlaps))
            {
                yield return $"serviceCidrs: '{service}' ({values["serviceCidrs"].Where}) must not overlap " +
                    $"'{cluster}' of clusterCidrs ({values["clusterCidrs"].Where})";
            }
        }

        foreach (string error in policy.Tunnel.Mode == TunnelMode.Off ? [] : CheckTunnel(policy, values["tunnel.mode"]))
            yield return error;
    }

    private static IEnumerable<string> CheckTunnel(Policy policy, SettingValue mode)
    {
        string given = $"tunnel.mode: {mode.Text} ({mode.Where})";
        if (policy.NextHop != NextHopMode.NodeAddress)
        {
            yield return $"{given} needs nextHop: NodeAddress: with PodGateway each peer must be on this segment; " +
                "set tunnel.mode to off, or nextHop to NodeAddress";
        }
        if (policy.Tunnel.Port == policy.ProbePort)
            yield return $"{given}: tunnel.port and probe.port are both {policy.ProbePort}; set one of them to a port of its own";
        if (policy.Tunnel.Mode == TunnelMode.Auto && !policy.Probe)
        {
            yield return $"{given} needs probe.enabled: true, for answers to probes decide which peers take the tunnel; " +
                "set tunnel.mode to off or always, or turn the probes on";
        }
    }
}

/// <summary>The settings cannot be used.</summary>
/// <param name="errors">One line each, safe to print.</param>
internal sealed class SettingsException(IEnumerable<string> errors) : Exception("The settings cannot be used.")
{
    public ImmutableArray<string> Errors { get; } = [.. errors];
}

/// <summary>A value as written, and where: "flag --x", "variable HOSTGW_X" or "file:line".</summary>
internal sealed record SettingValue(string Text, string Where);

/// <summary>What one source, or several, give for each setting, by its name.</summary>
internal sealed class SettingValues : Dictionary<string, SettingValue>
{
    /// <summary>Takes over the values of a source with precedence.</summary>
    public void Override(SettingValues stronger)
    {
        foreach ((string name, SettingValue value) in stronger)
            this[name] = value;
    }
}

/// <summary>Settings on the command line.</summary>
internal static class FlagSource
{
    public const string ConfigFlag = "--config";

    /// <summary>Adds --config and an option for every setting that <paramref name="usedBy"/> takes.</summary>
    public static void AddOptions(Command command, UsedBy usedBy)
    {
        command.Options.Add(new Option<string?>(ConfigFlag)
        {
            HelpName = "file",
            Description = $"File with settings (default: {SettingsFile.DefaultPath} if it exists); " +
                "each flag is also a variable: HOSTGW_ and its name in capitals",
        });
        foreach (Setting setting in SettingsTable.Rows.Where(s => (s.UsedBy & usedBy) != 0))
            command.Options.Add(Option(setting));
    }

    public static SettingValues Read(ParseResult flags)
    {
        SettingValues values = [];
        foreach (Setting setting in SettingsTable.Rows)
        {
            if (Text(flags, setting.Flag) is { } text)
                values[setting.Name] = new(text, $"flag {setting.Flag}");
        }
        return values;
    }

    /// <summary>Null if the flag was not given; "true" for one without a value.</summary>
    public static string? Text(ParseResult flags, string name)
    {
        OptionResult? given = flags.CommandResult.Children.OfType<OptionResult>().FirstOrDefault(o => o.Option.Name == name && !o.Implicit);
        return given is null ? null : given.Tokens is [var value, ..] ? value.Value : "true";
    }

    // No AcceptOnlyFromAmong: SettingsReader reports a wrong choice with its source, together with all other errors.
    private static Option<string?> Option(Setting setting)
    {
        var option = new Option<string?>(setting.Flag)
        {
            HelpName = setting.Type.Placeholder,
            Description = $"{setting.About} (default: {setting.DefaultAbout ?? setting.Default})",
            Arity = setting.Type.IsSwitch ? ArgumentArity.ZeroOrOne : ArgumentArity.ExactlyOne,
        };
        option.CompletionSources.Add([.. setting.Type.Choices]);
        return option;
    }
}

/// <summary>Settings in HOSTGW_* variables.</summary>
internal static partial class EnvironmentSource
{
    public const string Prefix = "HOSTGW_";

    public const string ConfigVariable = Prefix + "CONFIG";

    /// <summary>Adds an error for each variable with the prefix HOSTGW_ that names no setting.</summary>
    public static SettingValues Read(IReadOnlyDictionary<string, string> environment, List<string> errors)
    {
        SettingValues values = [];
        foreach ((string name, string text) in environment.OrderBy(v => v.Key, StringComparer.Ordinal))
        {
            if (!name.StartsWith(Prefix, StringComparison.Ordinal) || name == ConfigVariable)
                continue;
            if (SettingsTable.Rows.FirstOrDefault(s => s.Variable == name) is { } setting)
                values[setting.Name] = new(text, $"variable {name}");
            else if (!ServiceLink().IsMatch(name))
                errors.Add($"{Quoted.From(name)} is no setting; the nearest variable is {Nearest.To(name, Names)}");
        }
        return values;
    }

    private static IEnumerable<string> Names => SettingsTable.Rows.Select(s => s.Variable).Append(ConfigVariable);

    // What Kubernetes injects for Services named hostgw or hostgw-…; the exact forms, so that a misspelt
    // HOSTGW_SERVICE_CIDRS is still reported.
    // https://kubernetes.io/docs/tutorials/services/connect-applications-service/#environment-variables
    [GeneratedRegex("^HOSTGW_([A-Z0-9_]+_)?(SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)|PORT(_[0-9]+_[A-Z]+(_(PROTO|PORT|ADDR))?)?)$")]
    private static partial Regex ServiceLink();
}

/// <summary>Finds the name closest to a misspelt one.</summary>
internal static class Nearest
{
    // No setting has a longer name, and the work grows with the length.
    private const int MaxLength = 64;

    private const int ShortestPart = 3;

    /// <summary>The name with the smallest edit distance, ignoring case. A name may lack its group or its end.</summary>
    public static string To(string text, IEnumerable<string> names)
    {
        string given = text[..Math.Min(text.Length, MaxLength)].ToUpperInvariant();
        return names.MinBy(name => Distance(given, name.ToUpperInvariant()))!;
    }

    private static int Distance(string given, string name)
    {
        if (given.Length >= ShortestPart && name.Contains(given, StringComparison.Ordinal))
            return 1;

        string last = name[(name.LastIndexOf('.') + 1)..];
        int whole = Edits(given, name);
        return last.Length == name.Length ? whole : Math.Min(whole, 1 + Edits(given, last));
    }

    // Levenshtein's distance, one row at a time.
    private static int Edits(string from, string to)
    {
        int[] above = [.. Enumerable.Range(0, to.Length + 1)];
        int[] row = new int[to.Length + 1];
        for (int i = 1; i <= from.Length; i++)
        {
            row[0] = i;
            for (int j = 1; j <= to.Length; j++)
            {
                int replace = above[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
                row[j] = Math.Min(replace, 1 + Math.Min(above[j], row[j - 1]));
            }
            (above, row) = (row, above);
        }
        return above[to.Length];
    }
}
