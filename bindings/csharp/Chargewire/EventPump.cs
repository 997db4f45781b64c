using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Chargewire.Interop;

namespace Chargewire;

/// <summary>
/// Takes the library's events on a thread of its own, batch by batch, completes what waits for them, and hands them to who reads. While that one is
/// slow this thread waits, the library's queue fills, and reading from sockets pauses (rule 9 of chargewire.h): nothing is dropped, nothing grows.
/// Nobody else's code runs on this thread.
/// </summary>
internal sealed class EventPump
{
    // So much may wait to be read, besides what waits in the library.
    private const int BatchesWaiting = 4;

    // Of SendAsync. Those of the program are not negative.
    private const ulong OwnTag = 1UL << 63;

    private readonly ManagerHandle _manager;
    private readonly StationTable _stations;
    private readonly Channel<EventBatch> _waiting = Channel.CreateBounded<EventBatch>(
        new BoundedChannelOptions(BatchesWaiting) { SingleReader = true, SingleWriter = true, AllowSynchronousContinuations = false });

    private readonly ConcurrentQueue<EventBatch> _spare = new();
    private readonly ConcurrentDictionary<ulong, (Station Station, TaskCompletionSource Sent)> _sends = new();
    private readonly TaskCompletionSource _abandoned = new();
    private readonly TaskCompletionSource _ended = Station.NewPromise();
    private EventBatch? _current;
    private ulong _lastTag;
    private int _reading;

    internal EventPump(ManagerHandle manager, StationTable stations)
    {
        _manager = manager;
        _stations = stations;
        new Thread(Run) { IsBackground = true, Name = "Chargewire events" }.UnsafeStart();
    }

    // When the last event was taken and the manager is freed.
    internal Task Ended => _ended.Task;

    // From now on events that nobody has room for are dropped, so that the last one is reached.
    internal void Abandon() => _abandoned.TrySetResult();

    internal (ulong Tag, Task Sent) NewSend(Station station)
    {
        ulong tag = OwnTag | Interlocked.Increment(ref _lastTag);
        TaskCompletionSource sent = Station.NewPromise();
        _sends[tag] = (station, sent);
        return (tag, sent.Task);
    }

    internal void ForgetSend(ulong tag) => _sends.TryRemove(tag, out _);

    internal async IAsyncEnumerable<StationEvent> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _reading, 1) != 0)
        {
            throw new InvalidOperationException("Somebody reads the events of this manager already. Their order is worth nothing to two.");
        }

        try
        {
            while (true)
            {
                // Who stops reading in the middle of a batch may go on there later.
                while (_current is not null && _current.TryTake(out StationEvent taken))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    yield return taken;
                }

                Recycle();
                if (!_waiting.Reader.TryRead(out _current))
                {
                    if (!await _waiting.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
                    {
                        yield break;
                    }
                }
            }
        }
        finally
        {
            Volatile.Write(ref _reading, 0);
        }
    }

    private void Recycle()
    {
        if (_current is not null)
        {
            _current.Clear();
            _spare.Enqueue(_current);
            _current = null;
        }
    }

    private void Run()
    {
        Exception? failure = null;
        try
        {
            while (Take())
            {
            }
        }
        catch (Exception unexpected) // whoever reads gets it; here it would end the process
        {
            failure = unexpected;
        }

        _manager.Dispose();
        _waiting.Writer.TryComplete(failure);
        foreach (ulong tag in _sends.Keys)
        {
            Sent(tag, ChargewireStatus.Closed);
        }

        _ended.SetResult();
    }

    // False when there are no more.
    private unsafe bool Take()
    {
        NativeEvent* events;
        nuint count;
        ChargewireStatus status = NativeMethods.ManagerPoll(_manager, -1, EventBatch.Capacity, &events, &count);
        if (status == ChargewireStatus.NoMemory)
        {
            Thread.Sleep(10); // nothing was taken
            return true;
        }

        ChargewireException.Check(status, "Events");
        if (!_spare.TryDequeue(out EventBatch? batch))
        {
            batch = new EventBatch();
        }

        bool last = false;
        for (int i = 0; i < (int)count; ++i)
        {
            last = Take(batch, events + i, (int)count - i);
        }

        if (!batch.IsEmpty)
        {
            HandOver(batch);
        }

        return !last;
    }

    private unsafe bool Take(EventBatch batch, NativeEvent* native, int remaining)
    {
        if (native->Type == (int)StationEventType.Sent && (native->Tag & OwnTag) != 0)
        {
            Sent(native->Tag, native->Status);
            return false;
        }

        Station? station = _stations.Of(native);
        var taken = new StationEvent(native, station, batch.Copy(native, remaining));
        if (station is not null && taken.Type != StationEventType.Message)
        {
            station.Observe(taken);
            if (taken.Type == StationEventType.Closed)
            {
                _stations.Remove(native, station);
            }
        }

        batch.Add(taken);
        return taken.Type == StationEventType.Shutdown;
    }

    private void HandOver(EventBatch batch)
    {
        while (!_waiting.Writer.TryWrite(batch))
        {
            Task room = _waiting.Writer.WaitToWriteAsync().AsTask();
            if (Task.WaitAny(room, _abandoned.Task) != 0 && !room.IsCompleted)
            {
                batch.Clear();
                _spare.Enqueue(batch);
                return;
            }
        }
    }

    private void Sent(ulong tag, ChargewireStatus status)
    {
        if (!_sends.TryRemove(tag, out (Station Station, TaskCompletionSource Sent) send))
        {
            return;
        }

        if (status == ChargewireStatus.Ok)
        {
            send.Sent.SetResult();
            return;
        }

        send.Sent.SetException(ChargewireException.Of(status, $"{send.Station.Id}: accepted, but not sent"));
        _ = send.Sent.Task.Exception; // whoever was waiting may have stopped
    }
}
