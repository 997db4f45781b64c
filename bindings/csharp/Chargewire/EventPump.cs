using System.Buffers;
using System.Collections.Concurrent;
using Chargewire.Interop;

namespace Chargewire;

/// <summary>
/// Takes the library's events on a thread of its own, a batch in one crossing, completes what waits for them, and queues them for who reads. Nobody
/// else's code runs on this thread.
/// </summary>
internal sealed class EventPump
{
    private const int BatchEvents = 256;

    // Of SendAsync. Those of the program are not negative.
    private const ulong OwnTag = 1UL << 63;

    private readonly ManagerHandle _manager;
    private readonly StationTable _stations;
    private readonly EventQueue _queue;
    private readonly ConcurrentDictionary<ulong, (Station Station, TaskCompletionSource Sent)> _sends = new();
    private readonly TaskCompletionSource _ended = Station.NewPromise();
    private ulong _lastTag;

    internal EventPump(ManagerHandle manager, StationTable stations, EventQueue queue)
    {
        _manager = manager;
        _stations = stations;
        _queue = queue;
        new Thread(Run) { IsBackground = true, Name = "Chargewire events" }.UnsafeStart();
    }

    // When the last event was taken and the manager is freed.
    internal Task Ended => _ended.Task;

    internal (ulong Tag, Task Sent) NewSend(Station station)
    {
        ulong tag = OwnTag | Interlocked.Increment(ref _lastTag);
        TaskCompletionSource sent = Station.NewPromise();
        _sends[tag] = (station, sent);
        return (tag, sent.Task);
    }

    internal void ForgetSend(ulong tag) => _sends.TryRemove(tag, out _);

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
        _queue.Complete(failure);
        foreach (ulong tag in _sends.Keys)
        {
            Sent(tag, ChargewireStatus.Closed);
        }

        _stations.EndAll();
        _ended.SetResult();
    }

    // False when there are no more.
    private unsafe bool Take()
    {
        NativeEvent* events;
        nuint count;
        ChargewireStatus status = NativeMethods.ManagerPoll(_manager, -1, BatchEvents, &events, &count);
        if (status == ChargewireStatus.NoMemory)
        {
            Thread.Sleep(10); // nothing was taken
            return true;
        }

        ChargewireException.Check(status, "Events");
        StationEvent[] batch = ArrayPool<StationEvent>.Shared.Rent((int)count);
        var payloads = new PayloadCopier();
        int taken = 0;
        long weight = 0;
        bool last = false;
        for (int i = 0; i < (int)count; ++i)
        {
            NativeEvent* native = events + i;
            if (native->Type == (int)StationEventType.Sent && (native->Tag & OwnTag) != 0)
            {
                Sent(native->Tag, native->Status);
                continue;
            }

            Station? station = _stations.Of(native);
            var happened = new StationEvent(native, station, payloads.Copy(native, (int)count - i));
            if (station is not null && happened.Type != StationEventType.Message)
            {
                station.Observe(happened);
                if (happened.Type == StationEventType.Closed)
                {
                    _stations.Remove(native, station);
                }
            }

            batch[taken++] = happened;
            weight += EventQueue.Weight(happened);
            last = happened.Type == StationEventType.Shutdown;
        }

        _queue.Write(new EventQueue.Batch(batch, taken, weight));
        return !last;
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
