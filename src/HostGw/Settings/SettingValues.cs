namespace HostGw.Settings;

/// <summary>A value as written, and where: "flag --x", "variable HOSTGW_X" or "file:line".</summary>
internal sealed record SettingValue(string Text, string Where);

/// <summary>What was written for each setting, by its path.</summary>
internal sealed class SettingValues : Dictionary<string, SettingValue>
{
    /// <summary>Takes over the values of a source that counts more.</summary>
    public void Override(SettingValues stronger)
    {
        foreach ((string path, SettingValue value) in stronger)
            this[path] = value;
    }
}
