using System.Collections.Immutable;

namespace HostGw.Settings;

/// <summary>What values a setting takes.</summary>
/// <param name="Placeholder">Stands for the value in --help.</param>
/// <param name="Allowed">Completes the sentence "the value must be …".</param>
internal abstract record Kind(string Placeholder, string Allowed)
{
    /// <summary>All values, where they can be counted.</summary>
    public ImmutableArray<string> Choices { get; init; } = [];

    /// <summary>Takes several values: comma-separated, or a YAML list.</summary>
    public bool IsList { get; init; }

    /// <summary>The flag alone, without a value, means true.</summary>
    public bool IsSwitch { get; init; }
}

/// <inheritdoc/>
/// <param name="Parse">Throws <see cref="BadValueException"/>.</param>
internal sealed record Kind<T>(string Placeholder, string Allowed, Func<string, T> Parse) : Kind(Placeholder, Allowed)
{
    /// <summary>Reads one more text without advertising it.</summary>
    public Kind<T> Accepting(string text, T value) => this with { Parse = given => given == text ? value : Parse(given) };
}

/// <summary>A text that is no value of its setting.</summary>
/// <param name="value">The part at fault: of a list, one element.</param>
/// <param name="complaint">Follows the value in the sentence: "must be …".</param>
internal sealed class BadValueException(string value, string complaint) : Exception($"{Quoted.From(value)} {complaint}");
