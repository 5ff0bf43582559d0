using System.Collections.Immutable;

namespace HostGw.Nodes;

/// <summary>A list of short texts that is refilled again and again without allocating.</summary>
internal sealed class TextList
{
    private char[] _chars = new char[64];
    private int[] _ends = new int[4];

    public int Count { get; private set; }

    public ReadOnlySpan<char> this[int index] => _chars.AsSpan(Start(index), _ends[index] - Start(index));

    public void Clear() => Count = 0;

    public void Add(ReadOnlySpan<char> text)
    {
        int start = Start(Count);
        if (start + text.Length > _chars.Length)
            Array.Resize(ref _chars, Math.Max(_chars.Length * 2, start + text.Length));
        if (Count == _ends.Length)
            Array.Resize(ref _ends, Count * 2);

        text.CopyTo(_chars.AsSpan(start));
        _ends[Count++] = start + text.Length;
    }

    public bool SequenceEqual(ImmutableArray<string> texts)
    {
        if (texts.Length != Count)
            return false;
        for (int i = 0; i < Count; i++)
        {
            if (!this[i].SequenceEqual(texts[i]))
                return false;
        }
        return true;
    }

    public ImmutableArray<string> ToImmutable()
    {
        if (Count == 0)
            return [];
        var texts = ImmutableArray.CreateBuilder<string>(Count);
        for (int i = 0; i < Count; i++)
            texts.Add(this[i].ToString());
        return texts.MoveToImmutable();
    }

    private int Start(int index) => index == 0 ? 0 : _ends[index - 1];
}
