namespace HostGw.Nodes;

/// <summary>Shortens strings that arrive in pieces and are too long to be anything we read, whatever their length: only their beginning stays.</summary>
internal sealed class LongString
{
    // Longer than what is read as text: the rest of a string must not pass for the whole.
    private const int Kept = 2 * JsonText.MaxBytes;

    private bool _isEscaped;

    /// <summary>The end has not come yet: what arrives next is for <see cref="Drop"/>.</summary>
    public bool IsOpen { get; private set; }

    /// <summary>Shortens the string with which <paramref name="bytes"/> begin; returns how many bytes are left, or -1 where there is no long string.</summary>
    public int Begin(Span<byte> bytes)
    {
        int quote = bytes.IndexOf((byte)'"');
        if (quote < 0 || bytes[..quote].ContainsAnyExcept((byte)' ', (byte)',', (byte)':'))
            return -1;

        // Never inside an escape or a character.
        int cut = quote + 1;
        while (cut + 6 < bytes.Length && (cut < quote + Kept || bytes[cut] >> 6 == 0b10))
        {
            if (bytes[cut] == '"')
                return -1;
            cut += bytes[cut] != '\\' ? 1 : bytes[cut + 1] == 'u' ? 6 : 2;
        }
        _isEscaped = false;
        return cut + Drop(bytes[cut..]);
    }

    /// <summary>Drops what belongs to the string, moves what follows to the front, and returns how many bytes that is: the closing quote is the first.</summary>
    public int Drop(Span<byte> bytes)
    {
        for (int end = 0; end < bytes.Length; end++)
        {
            if (!_isEscaped)
            {
                int next = bytes[end..].IndexOfAny((byte)'"', (byte)'\\');
                if (next < 0)
                    break;
                end += next;
            }
            if (!_isEscaped && bytes[end] == '"')
            {
                IsOpen = false;
                bytes[end..].CopyTo(bytes);
                return bytes.Length - end;
            }
            _isEscaped = !_isEscaped;
        }
        IsOpen = true;
        return 0;
    }
}
