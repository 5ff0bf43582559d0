using System.Buffers;
using Microsoft.AspNetCore.Connections;

namespace HostGw.FakeApi.Http;

/// <summary>Blocks that hold a whole HTTP/2 frame, so that it leaves in one TLS record as from Go's server; Kestrel's own make four of it.</summary>
internal sealed class RecordBlocks : MemoryPool<byte>, IMemoryPoolFactory<byte>
{
    private const int Size = 32 * 1024;

    public override int MaxBufferSize => Shared.MaxBufferSize;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1) => Shared.Rent(Math.Max(Size, minBufferSize));

    public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => new RecordBlocks();

    protected override void Dispose(bool disposing)
    {
    }
}
