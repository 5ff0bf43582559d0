namespace HostGw.Platform.Linux.Iptables;

/// <summary>What iptables-save told of one table, as far as it was asked for: the form that iptables-restore reads.</summary>
/// <remarks>https://manpages.debian.org/bookworm/iptables/iptables-save.8</remarks>
internal sealed class SavedTable(string name, Func<string, string, bool> concerns)
{
    private readonly Dictionary<string, List<string>> _rules = [];
    private readonly Dictionary<string, string> _policies = [];
    private bool _isInTable;

    /// <summary>Every chain's rules; every rule of other chains is kept that <c>concerns</c>(chain, rule).</summary>
    public IEnumerable<(string Chain, string Rule)> All => _rules.SelectMany(c => c.Value.Select(r => (c.Key, r)));

    /// <summary>The table was told from its first line to its last.</summary>
    public bool IsComplete { get; private set; }

    public bool Has(string chain) => _policies.ContainsKey(chain);

    /// <summary>ACCEPT or DROP; "-" for a chain that is not built in, empty for one that is not there.</summary>
    public string Policy(string chain) => _policies.GetValueOrDefault(chain, "");

    /// <summary>In their order, without what names the chain.</summary>
    public IReadOnlyList<string> Rules(string chain) => _rules.TryGetValue(chain, out List<string>? rules) ? rules : [];

    /// <summary>Takes the next line.</summary>
    public void Read(string line)
    {
        if (line.StartsWith('*'))
            _isInTable = line.AsSpan(1).SequenceEqual(name);
        else if (_isInTable && line == "COMMIT")
            (IsComplete, _isInTable) = (true, false);
        else if (_isInTable && line.Split(' ', 3) is [var head, var second, var rest])
            Read(head, second, rest);
    }

    private void Read(string head, string second, string rest)
    {
        if (head.StartsWith(':'))
            _policies[head[1..]] = second;
        else if (head == "-A" && concerns(second, rest))
        {
            if (!_rules.TryGetValue(second, out List<string>? rules))
                _rules[second] = rules = [];
            rules.Add(rest);
        }
    }
}
