using Chargewire.Interop;

namespace Chargewire;

/// <summary>Copies the payloads of one crossing, the small ones of them together into blocks that the events share.</summary>
internal unsafe struct PayloadCopier()
{
    // Below what the large object heap takes.
    private const int BlockBytes = 64 * 1024;

    // A larger one has memory of its own.
    private const int SmallBytes = 8 * 1024;

    private byte[] _block = [];
    private int _used;

    // `events` are this one and those after it: a new block is as large as what it has to hold.
    internal ReadOnlyMemory<byte> Copy(NativeEvent* events, int count)
    {
        int size = checked((int)events->DataSize);
        var data = new ReadOnlySpan<byte>(events->Data, size);
        if (size == 0)
        {
            return default;
        }

        if (size > SmallBytes)
        {
            byte[] own = GC.AllocateUninitializedArray<byte>(size);
            data.CopyTo(own);
            return own;
        }

        if (size > _block.Length - _used)
        {
            _block = GC.AllocateUninitializedArray<byte>(BlockSize(events, count));
            _used = 0;
        }

        data.CopyTo(_block.AsSpan(_used));
        _used += size;
        return new ReadOnlyMemory<byte>(_block, _used - size, size);
    }

    private static int BlockSize(NativeEvent* events, int count)
    {
        int size = 0;
        for (int i = 0; i < count; ++i)
        {
            nuint next = events[i].DataSize;
            if (next > SmallBytes)
            {
                continue;
            }

            if (size + (int)next > BlockBytes)
            {
                break;
            }

            size += (int)next;
        }

        return size;
    }
}
