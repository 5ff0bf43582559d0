using HostGw.Planning;

namespace HostGw.Tests.Planning;

public class ObjectUidTests
{
    private static readonly string[] Texts =
    [
        "", "a", "uid-1", "00000000-0000-0000-0000-000000000000", "9f4ca9ce-1391-44e2-a50c-757f181c56f9",
        "9F4CA9CE-1391-44E2-A50C-757F181C56F9", "9f4ca9ce-1391-44e2-a50c-757f181c56fA", "{9f4ca9ce-1391-44e2-a50c-757f181c56f9}",
        " 9f4ca9ce-1391-44e2-a50c-757f181c56f9", "9f4ca9ce139144e2a50c757f181c56f9", "9f4ca9ce-1391-44e2-a50c-757f181c56f",
        "9f4ca9ce-1391-44e2-a50c-757f181c56fg", "7f4ca9ce-1391-44e2-a50c-757f181c56f9", "9f4ca9ce-f391-44e2-a50c-757f181c56f9",
        "9f4ca9ce-1391-f4e2-a50c-757f181c56f9", "9f4ca9ce-1391-44e2-050c-757f181c56f9", "9f4ca9ce-1391-44e2-a50c-007f181c56f9",
        "ffffffff-ffff-ffff-ffff-ffffffffffff", "80000000-0000-0000-0000-000000000000", "０f4ca9ce-1391-44e2-a50c-757f181c56f9",
    ];

    [Fact]
    public void It_is_its_text_in_every_way()
    {
        foreach (string a in Texts)
        {
            ObjectUid uid = a;
            Assert.Equal((a, a.Length == 0), (uid.ToString(), uid.IsEmpty));
            foreach (string b in Texts)
            {
                ObjectUid other = b;
                Assert.Equal((a == b, a == b), (uid == other, uid.Is(b)));
                Assert.Equal(Math.Sign(string.CompareOrdinal(a, b)), Math.Sign(uid.CompareTo(other)));
            }
        }
    }

    [Fact]
    public void One_that_an_API_server_gives_takes_no_memory_beside_its_node()
    {
        const string Given = "9f4ca9ce-1391-44e2-a50c-757f181c56f9";
        ObjectUid known = Given;
        long before = GC.GetAllocatedBytesForCurrentThread();
        ObjectUid uid = Given.AsSpan();
        bool isSame = uid.Is(Given) && uid == known && uid.CompareTo(known) == 0;
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.True(isSame);
    }
}
