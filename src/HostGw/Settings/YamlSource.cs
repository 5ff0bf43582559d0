using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace HostGw.Settings;

/// <summary>Settings given in the YAML file. Read as events: the loaded tree drops the names of duplicate keys and overflows the stack on deep ones.</summary>
/// <param name="file">The file's name in errors.</param>
internal sealed class YamlSource(string file, List<string> errors)
{
    private readonly SettingValues _values = [];
    private readonly HashSet<string> _seen = [];

    /// <summary>Adds an error for each key that is no setting and each value of the wrong shape; stops at what is not YAML.</summary>
    public SettingValues Read(string text)
    {
        try
        {
            var yaml = new YamlEvents(text);
            yaml.Take<StreamStart>();
            if (yaml.Take<DocumentStart>() is not null)
                ReadDocument(yaml);
        }
        catch (YamlException e)
        {
            Fault(e.Start, Quoted.Plain(e.Message));
        }
        return _values;
    }

    private void ReadDocument(YamlEvents yaml)
    {
        if (yaml.IsNull)
            yaml.Skip();
        else if (yaml.Take<MappingStart>() is not null)
            ReadMap(yaml, "");
        else
            throw yaml.Wrong("the file must be a map of settings, such as 'nextHop: NodeAddress'");

        yaml.Take<DocumentEnd>();
        if (yaml.Current is not StreamEnd)
            throw yaml.Wrong("the file must hold one document");
    }

    private void ReadMap(YamlEvents yaml, string group)
    {
        while (yaml.Take<MappingEnd>() is null)
        {
            Scalar key = yaml.Take<Scalar>() ?? throw yaml.Wrong("a key must be plain text");
            ReadEntry(yaml, group + key.Value, key.Start);
        }
    }

    private void ReadEntry(YamlEvents yaml, string path, Mark at)
    {
        Setting? setting = SettingsTable.Rows.FirstOrDefault(s => s.Path == path);
        if (!_seen.Add(path))
            Reject(yaml, at, $"{Quoted.From(path)} is given twice");
        else if (setting is not null)
            ReadValue(yaml, setting, at);
        else if (Members(path) is { Length: > 0 } members)
            ReadGroup(yaml, path, members, at);
        else
            Reject(yaml, at, $"{Quoted.From(path)} is no setting; the nearest is {Nearest.To(path, Names)}");
    }

    private void ReadGroup(YamlEvents yaml, string path, string[] members, Mark at)
    {
        if (yaml.Take<MappingStart>() is not null)
            ReadMap(yaml, path + '.');
        else if (yaml.IsNull)
            yaml.Skip();
        else
            Reject(yaml, at, $"{path} must be a map of {string.Join(", ", members)}");
    }

    private void ReadValue(YamlEvents yaml, Setting setting, Mark at)
    {
        if (yaml.IsNull)
            yaml.Skip();
        else if (yaml.Take<Scalar>() is { } scalar)
            _values[setting.Path] = new(scalar.Value, Where(at));
        else if (setting.Kind.IsList && yaml.Take<SequenceStart>() is not null)
            _values[setting.Path] = new(ReadList(yaml, setting), Where(at));
        else
            Reject(yaml, at, $"{setting.Path} is a {(yaml.Current is SequenceStart ? "list" : "map")}; it must be {setting.Kind.Allowed}");
    }

    private static string ReadList(YamlEvents yaml, Setting setting)
    {
        List<string> elements = [];
        while (yaml.Take<SequenceEnd>() is null)
        {
            Scalar element = yaml.Take<Scalar>() ?? throw yaml.Wrong($"{setting.Path} must be {setting.Kind.Allowed}, each a plain text");
            elements.Add(element.Value);
        }
        return string.Join(',', elements);
    }

    private void Reject(YamlEvents yaml, Mark at, string message)
    {
        Fault(at, message);
        yaml.Skip();
    }

    private void Fault(Mark at, string message) => errors.Add($"{Where(at)}: {message}");

    private string Where(Mark at) => string.Create(CultureInfo.InvariantCulture, $"{file}:{at.Line}");

    // With the groups: a group may be misspelt as well.
    private static IEnumerable<string> Names => SettingsTable.Rows.Select(s => s.Path).Concat(SettingsTable.Rows.Select(s => s.Path.Split('.')[0]));

    private static string[] Members(string group) => [.. SettingsTable.Rows
        .Where(s => s.Path.StartsWith(group + '.', StringComparison.Ordinal)).Select(s => s.Path[(group.Length + 1)..])];
}
