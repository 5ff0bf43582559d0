using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using HostGw.Platform.Windows.Interop;
using HostGw.Tests.Architecture;

namespace HostGw.Tests.Platform.Windows;

/// <summary>Our structures lie in memory as those of the Windows SDK: tests/native/layout.txt is what layout.c printed, and `make test-windows` prints it again.</summary>
public class LayoutTests
{
    // The first row of a table, by its own name.
    private static readonly Type[] Structures =
    [
        typeof(SOCKADDR_INET), typeof(IP_ADDRESS_PREFIX), typeof(MIB_IPFORWARD_ROW2), typeof(MIB_IPFORWARD_TABLE2), typeof(MIB_IPINTERFACE_ROW),
        typeof(MIB_IPINTERFACE_TABLE), typeof(MIB_UNICASTIPADDRESS_ROW), typeof(MIB_UNICASTIPADDRESS_TABLE), typeof(MIB_IPNET_ROW2),
    ];

    private static readonly Dictionary<string, int> Native = File.ReadLines(Repository.PathTo("tests/native/layout.txt"))
        .Select(l => l.Split(' ')).ToDictionary(w => w[0], w => int.Parse(w[1], CultureInfo.InvariantCulture));

    public static TheoryData<string> Fields => [.. Structures.SelectMany(s => s.GetFields().Select(f => $"{s.Name}.{f.Name}"))];

    [Fact]
    public void Every_structure_and_field_is_compared() => Assert.Equal(
        Native.Keys.Where(k => k.Contains('.')).Order(StringComparer.Ordinal), Fields.Select(f => f.Data).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Fields))]
    public void A_field_lies_where_the_sdk_has_it(string name)
    {
        Type structure = Structures.Single(s => s.Name == name.Split('.')[0]);
        Assert.Equal(Native[name], (int)Marshal.OffsetOf(structure, name.Split('.')[1]));
    }

    [Fact]
    public void Sizes_are_those_of_the_sdk() => Assert.Equal(
        Native.Where(n => !n.Key.Contains('.')).Select(n => $"{n.Key} {n.Value}"),
        Structures.Where(s => !s.Name.Contains("TABLE", StringComparison.Ordinal)).Select(s => $"{s.Name} {SizeOf(s)}"));

    // Marshal.SizeOf knows no inline arrays.
    private static int SizeOf(Type structure) => (int)typeof(LayoutTests).GetMethod(nameof(Size), BindingFlags.NonPublic | BindingFlags.Static)!
        .MakeGenericMethod(structure).Invoke(null, null)!;

    private static int Size<T>() => Unsafe.SizeOf<T>();
}
