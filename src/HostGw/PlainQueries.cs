namespace HostGw;

/// <summary>
/// The only Select and Where of this program. LINQ's own are classes with a generic virtual method, of which compilation
/// ahead of time makes a copy for every pair of structures: a third of the program, and 2 MB of its memory.
/// </summary>
internal static class PlainQueries
{
    public static IEnumerable<TResult> Select<TSource, TResult>(this IEnumerable<TSource> source, Func<TSource, TResult> selector)
    {
        foreach (TSource item in source)
            yield return selector(item);
    }

    public static IEnumerable<TSource> Where<TSource>(this IEnumerable<TSource> source, Func<TSource, bool> predicate)
    {
        foreach (TSource item in source)
        {
            if (predicate(item))
                yield return item;
        }
    }
}
