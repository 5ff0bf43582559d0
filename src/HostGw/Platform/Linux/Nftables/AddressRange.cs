using System.Numerics;
using HostGw.Planning;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>An element of an interval set. Ours are prefixes; what a person adds need not be one.</summary>
internal readonly record struct AddressRange(Ip First, Ip Last) : IComparable<AddressRange>
{
    /// <summary>Nothing follows, so the kernel holds no end for it.</summary>
    public bool IsOpen => Last.Value == (Last.IsIPv4 ? uint.MaxValue : UInt128.MaxValue);

    public static AddressRange Of(Prefix prefix) => new(prefix.Address, prefix.Last);

    public Prefix? AsPrefix()
    {
        UInt128 hostMask = First.Value ^ Last.Value;
        bool isPrefix = (hostMask & (hostMask + 1)) == 0 && (First.Value & hostMask) == 0;
        return isPrefix ? new Prefix(First, (byte)(First.Bits - BitOperations.PopCount((ulong)hostMask) - BitOperations.PopCount((ulong)(hostMask >> 64)))) : null;
    }

    /// <summary>By first address; of two that begin alike the larger comes first.</summary>
    public int CompareTo(AddressRange other)
    {
        int result = First.CompareTo(other.First);
        return result != 0 ? result : other.Last.CompareTo(Last);
    }

    public override string ToString() => AsPrefix()?.ToString() ?? $"{First}-{Last}";
}
