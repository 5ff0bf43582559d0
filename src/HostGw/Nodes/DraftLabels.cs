using System.Collections.Immutable;
using HostGw.Planning;

namespace HostGw.Nodes;

/// <summary>The labels of a node draft: only those whose keys a selector names, so that 100,000 others cost nothing.</summary>
internal sealed class DraftLabels(NodeSelector selector)
{
    private readonly string[] _keys = [.. selector.Requirements.Select(r => r.Key).Distinct(StringComparer.Ordinal)];
    private readonly TextBuffer?[] _values = new TextBuffer?[selector.Requirements.Length];
    private readonly bool[] _present = new bool[selector.Requirements.Length];

    public void Clear() => Array.Clear(_present);

    public void Set(ReadOnlySpan<char> key, ReadOnlySpan<char> value)
    {
        for (int i = 0; i < _keys.Length; i++)
        {
            if (!key.SequenceEqual(_keys[i]))
                continue;
            (_values[i] ??= new()).Set(value);
            _present[i] = true;
        }
    }

    public bool SequenceEqual(ImmutableArray<KeyValuePair<string, string>> labels)
    {
        int next = 0;
        for (int i = 0; i < _keys.Length; i++)
        {
            if (!_present[i])
                continue;
            if (next == labels.Length || labels[next].Key != _keys[i] || !_values[i]!.Is(labels[next].Value))
                return false;
            next++;
        }
        return next == labels.Length;
    }

    public ImmutableArray<KeyValuePair<string, string>> ToImmutable()
    {
        if (_keys.Length == 0)
            return [];
        var labels = ImmutableArray.CreateBuilder<KeyValuePair<string, string>>(_keys.Length);
        for (int i = 0; i < _keys.Length; i++)
        {
            if (_present[i])
                labels.Add(new(_keys[i], _values[i]!.ToString()));
        }
        return labels.DrainToImmutable();
    }
}
