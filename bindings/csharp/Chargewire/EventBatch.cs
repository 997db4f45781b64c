using Chargewire.Interop;

namespace Chargewire;

/// <summary>The events of one crossing, copied. Used again and again, so that a stream of events makes no garbage but their payloads.</summary>
internal sealed unsafe class EventBatch
{
    internal const int Capacity = 256;

    // Payloads are put together into blocks of at most this, below what the large object heap takes; a larger one has its own.
    private const int BlockBytes = 64 * 1024;
    private const int LargeBytes = 8 * 1024;

    private readonly StationEvent[] _events = new StationEvent[Capacity];
    private int _next;
    private int _count;
    private byte[] _block = [];
    private int _blockUsed;

    internal bool TryTake(out StationEvent taken)
    {
        if (_next == _count)
        {
            taken = default;
            return false;
        }

        taken = _events[_next++];
        return true;
    }

    internal void Clear()
    {
        Array.Clear(_events, 0, _count);
        _next = _count = 0;
        _block = [];
        _blockUsed = 0;
    }

    internal void Add(in StationEvent added) => _events[_count++] = added;

    internal bool IsEmpty => _count == 0;

    // `events` are this one and those after it: a new block is as large as what it has to hold.
    internal ReadOnlyMemory<byte> Copy(NativeEvent* events, int count)
    {
        int size = checked((int)events->DataSize);
        if (size == 0)
        {
            return default;
        }

        var data = new ReadOnlySpan<byte>(events->Data, size);
        if (size > LargeBytes)
        {
            byte[] own = GC.AllocateUninitializedArray<byte>(size);
            data.CopyTo(own);
            return own;
        }

        if (size > _block.Length - _blockUsed)
        {
            _block = GC.AllocateUninitializedArray<byte>(BlockSize(events, count));
            _blockUsed = 0;
        }

        data.CopyTo(_block.AsSpan(_blockUsed));
        var copy = new ReadOnlyMemory<byte>(_block, _blockUsed, size);
        _blockUsed += size;
        return copy;
    }

    private static int BlockSize(NativeEvent* events, int count)
    {
        int size = 0;
        for (int i = 0; i < count; ++i)
        {
            nuint next = events[i].DataSize;
            if (next <= LargeBytes)
            {
                if (size + (int)next > BlockBytes)
                {
                    break;
                }

                size += (int)next;
            }
        }

        return size;
    }
}
