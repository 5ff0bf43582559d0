using System.CommandLine;

namespace HostGw.Commands;

/// <summary>-o table|json</summary>
internal static class OutputOption
{
    public const string Json = "json";

    public static Option<string> Create()
    {
        Option<string> option = new("--output", "-o") { Description = "Form of the result", DefaultValueFactory = _ => "table" };
        option.AcceptOnlyFromAmong("table", Json);
        return option;
    }
}
