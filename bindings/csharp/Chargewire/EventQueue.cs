using System.Buffers;
using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Chargewire;

/// <summary>
/// Between the thread that takes events and who reads them, batch by batch. Full, it makes that thread wait, so that the library's queue fills and
/// reading from sockets pauses (rule 9 of chargewire.h): nothing is dropped, nothing grows.
/// </summary>
internal sealed class EventQueue(int capacity)
{
    // So many bytes of payload take as much room as one event.
    private const int BytesPerEvent = 4096;

    private readonly Channel<Batch> _batches = Channel.CreateUnbounded<Batch>(
        new UnboundedChannelOptions { SingleReader = true, SingleWriter = true, AllowSynchronousContinuations = false });

    private readonly object _room = new();
    private long _waiting;
    private bool _abandoned;
    private Batch _current;
    private int _next;
    private int _reading;

    /// <summary>Of the pool, with so many events in it.</summary>
    internal readonly record struct Batch(StationEvent[] Events, int Count, long Weight);

    // ---- Who writes

    internal static long Weight(in StationEvent added) => 1 + (added.Data.Length / BytesPerEvent);

    internal void Write(Batch batch)
    {
        lock (_room)
        {
            // What is in it may be the answer that the reader waits for, so a single batch may exceed what there is room for.
            while (_waiting >= capacity && !_abandoned)
            {
                Monitor.Wait(_room);
            }

            if (_waiting >= capacity)
            {
                Recycle(batch);
                return;
            }

            _waiting += batch.Weight;
        }

        _batches.Writer.TryWrite(batch);
    }

    internal void Complete(Exception? failure) => _batches.Writer.TryComplete(failure);

    /// <summary>From now on what there is no room for is dropped, and nobody waits.</summary>
    internal void Abandon()
    {
        lock (_room)
        {
            _abandoned = true;
            Monitor.Pulse(_room);
        }
    }

    // ---- Who reads

    internal async IAsyncEnumerable<StationEvent> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _reading, 1) != 0)
        {
            throw new InvalidOperationException("Somebody reads the events of this manager already. Their order is worth nothing to two.");
        }

        try
        {
            do
            {
                // Who stops in the middle of a batch may go on there later.
                while (_next < _current.Count)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    yield return _current.Events[_next++];
                }
            }
            while (TryTakeBatch() || await TakeBatchAsync(cancellationToken).ConfigureAwait(false));
        }
        finally
        {
            Volatile.Write(ref _reading, 0);
        }
    }

    private static void Recycle(Batch batch)
    {
        if (batch.Events is not null)
        {
            Array.Clear(batch.Events, 0, batch.Count);
            ArrayPool<StationEvent>.Shared.Return(batch.Events);
        }
    }

    private async ValueTask<bool> TakeBatchAsync(CancellationToken cancellationToken) =>
        await _batches.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false) && TryTakeBatch();

    private bool TryTakeBatch()
    {
        Batch done = _current;
        _current = default;
        _next = 0;
        Recycle(done);
        if (done.Weight > 0)
        {
            lock (_room)
            {
                _waiting -= done.Weight;
                Monitor.Pulse(_room);
            }
        }

        return _batches.Reader.TryRead(out _current);
    }
}
