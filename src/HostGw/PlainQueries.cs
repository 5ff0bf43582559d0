namespace HostGw;

/// <summary>Replaces LINQ's Select and Where in this program.</summary>
/// <remarks>
/// LINQ's are classes with a generic virtual method, of which Native AOT compiles a copy for every pair of structures: a third
/// of the program's size, and 2 MB of its memory.
/// </remarks>
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
