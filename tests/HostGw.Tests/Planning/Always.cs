using FsCheck;
using FsCheck.Fluent;

namespace HostGw.Tests.Planning;

/// <summary>Runs a property; a failure names the seed and the smallest case found.</summary>
internal static class Always
{
    public static void Holds<T>(Gen<T> cases, Action<T> check, int count = 1000) =>
        Holds(cases.ToArbitrary(), check, count);

    public static void Holds<T>(Arbitrary<T> cases, Action<T> check, int count = 1000) =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(count).WithEndSize(25).WithQuietOnSuccess(true), Prop.ForAll(cases, check));
}
