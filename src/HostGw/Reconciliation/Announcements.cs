namespace HostGw.Reconciliation;

/// <summary>Sentences that are said when they become true and when they cease to be, and not in between.</summary>
internal sealed class Announcements(Action<string> appeared, Action<string> gone, Action<int> more)
{
    private const int Detailed = 20;

    private HashSet<string> _standing = [];

    /// <param name="isAll">False: of what is missing in <paramref name="current"/> nothing is known.</param>
    public void Update(IEnumerable<string> current, bool isAll)
    {
        HashSet<string> standing = [.. current];
        if (!isAll)
            standing.UnionWith(_standing);
        Say(standing.Where(s => !_standing.Contains(s)), appeared);
        Say(_standing.Where(s => !standing.Contains(s)), gone);
        _standing = standing;
    }

    private void Say(IEnumerable<string> sentences, Action<string> say)
    {
        string[] all = [.. sentences];
        foreach (string sentence in all.Take(Detailed))
            say(sentence);
        if (all.Length > Detailed)
            more(all.Length - Detailed);
    }
}
