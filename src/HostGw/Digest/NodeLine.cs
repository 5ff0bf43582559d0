using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using HostGw.Kubernetes;
using HostGw.Nodes;
using HostGw.Planning;

namespace HostGw.Digest;

/// <summary>
/// A Node as one line of a shard: name, UID, operating system, creation time in Unix seconds, podCIDRs, addresses with their types,
/// annotations hostgw.io/next-hop and hostgw.io/skip, labels. Fields are separated by tabs, entries of a field by commas. What is not
/// printable ASCII, and each separator inside a text, is written as % and two hexadecimal digits (RFC 3986, section 2.1). An annotation
/// begins with `=`, so that an empty one is not taken for none.
/// </summary>
internal static class NodeLine
{
    private const int Fields = 9;
    private const string Internal = "InternalIP", External = "ExternalIP";

    private static readonly SearchValues<char> Plain = SearchValues.Create(
        [.. Enumerable.Range(0x20, 0x7F - 0x20).Select(c => (char)c).Where(c => c is not ('%' or ',' or '='))]);

    /// <summary>Without the end of the line.</summary>
    public static void Write(StringBuilder text, ClusterNode node)
    {
        Append(text, node.Name).Append('\t');
        Append(text, node.Uid.ToString()).Append('\t');
        Append(text, node.OperatingSystem).Append('\t');
        if (node.CreatedAt != long.MaxValue)
            text.Append(CultureInfo.InvariantCulture, $"{node.CreatedAt}");
        text.Append('\t');
        AppendAll(text, node.PodCidrs.Select(p => p.ToString()).Concat(node.UnreadablePodCidrs));
        text.Append('\t');
        AppendPairs(text,
            node.InternalIPs.Select(a => (Internal, a.ToString())).Concat(node.ExternalIPs.Select(a => (External, a.ToString()))));
        text.Append('\t');
        if (node.NextHopOverride is { } nextHops)
            Append(text.Append('='), string.Join(',', nextHops));
        text.Append('\t');
        if (node.Skip != false)
            text.Append(node.Skip == true ? "=true" : "=");
        text.Append('\t');
        AppendPairs(text, node.Labels.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => (l.Key, l.Value)));
    }

    /// <summary>Into a cleared draft, as if the API server had sent the Node.</summary>
    /// <param name="line">Without its end.</param>
    /// <returns>Why it cannot be read; null: it was.</returns>
    public static string? Read(ReadOnlySpan<char> line, NodeDraft draft)
    {
        Span<Range> fields = stackalloc Range[Fields + 1];
        if (line.Split(fields, '\t') != Fields)
            return $"a line does not have {Fields} fields";
        Span<char> buffer = stackalloc char[ListWatchDecoder.MaxText];
        Reader reader = new(draft, buffer);
        bool isRead = reader.ReadObject(line[fields[0]], line[fields[1]], line[fields[2]], line[fields[3]]) &&
            (line[fields[4]].IsEmpty || reader.ReadPodCidrs(line[fields[4]])) &&
            (line[fields[5]].IsEmpty || reader.ReadPairs(line[fields[5]], static (to, type, address) => to.AddAddress(type, address))) &&
            reader.ReadAnnotation(NodeDraft.NextHopAnnotation, line[fields[6]]) &&
            reader.ReadAnnotation(NodeDraft.SkipAnnotation, line[fields[7]]) &&
            (line[fields[8]].IsEmpty || reader.ReadPairs(line[fields[8]], static (to, key, value) => to.SetLabel(key, value)));
        if (!isRead)
            return "a line cannot be read";
        draft.Complete();
        return null;
    }

    private static StringBuilder Append(StringBuilder text, string value)
    {
        if (!value.AsSpan().ContainsAnyExcept(Plain))
            return text.Append(value);
        foreach (byte b in Encoding.UTF8.GetBytes(value))
        {
            if (Plain.Contains((char)b))
                text.Append((char)b);
            else
                text.Append(CultureInfo.InvariantCulture, $"%{b:X2}");
        }
        return text;
    }

    private static void AppendAll(StringBuilder text, IEnumerable<string> values)
    {
        string separator = "";
        foreach (string value in values)
        {
            Append(text.Append(separator), value);
            separator = ",";
        }
    }

    private static void AppendPairs(StringBuilder text, IEnumerable<(string Key, string Value)> pairs)
    {
        string separator = "";
        foreach ((string key, string value) in pairs)
        {
            Append(Append(text.Append(separator), key).Append('='), value);
            separator = ",";
        }
    }

    /// <param name="buffer">For one unescaped text: longer ones than the API server's decoder takes are refused.</param>
    private readonly ref struct Reader(NodeDraft draft, Span<char> buffer)
    {
        private readonly Span<char> _buffer = buffer;

        public bool ReadObject(ReadOnlySpan<char> name, ReadOnlySpan<char> uid, ReadOnlySpan<char> os, ReadOnlySpan<char> created)
        {
            if (name.IsEmpty || !TryUnescape(name, out ReadOnlySpan<char> text))
                return false;
            draft.Name.Set(text);
            if (!TryUnescape(uid, out text))
                return false;
            draft.Uid.Set(text);
            if (!TryUnescape(os, out text))
                return false;
            draft.SetOperatingSystem(text);
            long at = long.MaxValue;
            if (!created.IsEmpty && !long.TryParse(created, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out at))
                return false;
            draft.CreatedAt = at;
            return true;
        }

        public bool ReadPodCidrs(ReadOnlySpan<char> field)
        {
            foreach (Range entry in field.Split(','))
            {
                if (!TryUnescape(field[entry], out ReadOnlySpan<char> text))
                    return false;
                draft.PodCidrs.Add(text);
            }
            return true;
        }

        /// <summary>Entries of a key and a value.</summary>
        public bool ReadPairs(ReadOnlySpan<char> field, Action<NodeDraft, ReadOnlySpan<char>, ReadOnlySpan<char>> add)
        {
            foreach (Range entry in field.Split(','))
            {
                ReadOnlySpan<char> pair = field[entry];
                int equals = pair.IndexOf('=');
                if (equals < 0 || !TryUnescape(pair[(equals + 1)..], out ReadOnlySpan<char> value))
                    return false;
                // Address types and label keys hold no character that is escaped.
                add(draft, pair[..equals], value);
            }
            return true;
        }

        public bool ReadAnnotation(string key, ReadOnlySpan<char> field)
        {
            if (field.IsEmpty)
                return true;
            if (field[0] != '=' || !TryUnescape(field[1..], out ReadOnlySpan<char> text))
                return false;
            draft.SetAnnotation(key, text, isCut: false);
            return true;
        }

        private bool TryUnescape(ReadOnlySpan<char> field, out ReadOnlySpan<char> text)
        {
            text = field;
            if (field.Length > _buffer.Length)
                return false;
            if (!field.Contains('%'))
                return true;
            Span<byte> bytes = stackalloc byte[field.Length];
            int length = 0;
            for (int i = 0; i < field.Length; i++)
            {
                if (field[i] != '%')
                    bytes[length++] = (byte)field[i];
                else if (i + 2 < field.Length && byte.TryParse(field.Slice(i + 1, 2), NumberStyles.AllowHexSpecifier, null, out byte b))
                    (bytes[length++], i) = (b, i + 2);
                else
                    return false;
            }
            text = _buffer[..Encoding.UTF8.GetChars(bytes[..length], _buffer)];
            return true;
        }
    }
}
