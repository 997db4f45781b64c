using System.Collections.Concurrent;
using System.Globalization;
using System.Threading.Channels;
using Chargewire;

namespace Runner;

/// <summary>A noted event: how it is told, and what of it commands look at.</summary>
internal sealed record Note(StationEventType Type, ChargewireStatus Status, long Tag, string Data, string Text);

/// <summary>What is known of a station, from its first event or its connect on.</summary>
internal sealed class Station
{
    internal Chargewire.Station? Connected { get; set; }

    /// <summary>What no command has taken.</summary>
    internal Channel<Note> Notes { get; } = Channel.CreateUnbounded<Note>();

    /// <summary>A message on which to disconnect, while its event is handled, and what came of that.</summary>
    internal (string Text, TaskCompletionSource<string> Outcome)? Goodbye { get; set; }

    /// <summary>Given for each noted event, to whoever waits for the next.</summary>
    internal SemaphoreSlim Heard { get; } = new(0);

    internal ValueTask<Note> NextAsync() => Notes.Reader.ReadAsync();
}

internal sealed class Lifecycle : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, Station> _stations = new();
    private ChargewireManager? _manager;
    private Task<bool> _reading = Task.FromResult(false);

    public async ValueTask DisposeAsync()
    {
        if (_manager is not null)
        {
            await _manager.DisposeAsync();
            await _reading;
        }
    }

    internal async Task<string> CarryOutAsync(string[] words)
    {
        try
        {
            return await AnswerAsync(words);
        }
        catch (ChargewireException failed)
        {
            return Words.Of(failed.Status);
        }
    }

    private async Task<string> AnswerAsync(string[] words)
    {
        switch (words[0])
        {
            case "manager":
                _manager = new ChargewireManager(new ChargewireOptions { Additional = Options(words[1..]) });
                _reading = ReadEventsAsync(_manager);
                return "ok";
            case "connect":
                _stations.GetOrAdd(words[1], _ => new Station()).Connected =
                    _manager!.Connect(words[1], words[2], new StationOptions { Additional = Options(words[3..]) });
                return "ok";
            case "shutdown":
                return await ShutdownAsync(Number(words[1]), words[2..]);
            case "free":
                await DisposeAsync();
                return "ok";
            case "cycles":
                await CyclesAsync(Number(words[1]), words[2]);
                return "ok";
        }

        Station station = _stations[words[1]];
        Chargewire.Station connected = station.Connected!;
        switch (words[0])
        {
            case "wait":
                await connected.WaitUntilConnectedAsync(TimeSpan.FromMilliseconds(Number(words[2])));
                return "ok";
            case "state":
                return Words.Of(connected.State);
            case "stats":
                return Statistics(connected);
            case "events":
                return await TakeAsync(station, Number(words[2]));
            case "until":
                return await UntilAsync(station, words[2]);
            case "send":
                Send(connected, words[2], Number(words[3]));
                return "ok";
            case "flood":
                return await FloodAsync(station, Number(words[2]));
            case "threads":
                return await ThreadsAsync(station, Number(words[2]), Number(words[3]));
            case "disconnect":
                _ = connected.DisconnectAsync(Number(words[2]), words[3]);
                return "ok";
            case "disconnect_inside":
                return await DisconnectInsideAsync(station, words[2]);
            case "fill":
                for (string big = new('x', Number(words[2])); ;)
                {
                    connected.Send(big);
                }

            case "stale":
                return Stale(connected);
            default:
                return "unknown command";
        }
    }

    private static int Number(string word) => int.Parse(word, CultureInfo.InvariantCulture);

    private static Dictionary<string, string> Options(string[] words) =>
        words.Select(word => word.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);

    // ---- Events

    /// <summary>Whether Shutdown was the last.</summary>
    private async Task<bool> ReadEventsAsync(ChargewireManager manager)
    {
        StationEventType last = default;
        await foreach (StationEvent happened in manager.ReadEventsAsync())
        {
            last = happened.Type;
            string text = Words.Of(happened);
            if (text.Length == 0)
            {
                continue;
            }

            Station station = _stations.GetOrAdd(happened.StationId, _ => new Station());
            if (happened.Type == StationEventType.Message && station.Goodbye is { } goodbye && happened.Text == goodbye.Text)
            {
                station.Goodbye = null;
                goodbye.Outcome.SetResult(Outcome(() => happened.Station.DisconnectAsync()));
            }

            station.Notes.Writer.TryWrite(new Note(happened.Type, happened.Status, happened.Tag, happened.Text, text));
            station.Heard.Release();
        }

        return last == StationEventType.Shutdown;
    }

    private static async Task<string> TakeAsync(Station station, int count)
    {
        var texts = new List<string>();
        while (texts.Count < count)
        {
            texts.Add((await station.NextAsync()).Text);
        }

        return string.Join(" | ", texts);
    }

    private static async Task<string> UntilAsync(Station station, string kind)
    {
        while (true)
        {
            string text = (await station.NextAsync()).Text;
            if (text.Split(' ')[0] == kind)
            {
                return text;
            }
        }
    }

    // ---- Stations

    private static string Outcome(Action call)
    {
        try
        {
            call();
            return "ok";
        }
        catch (ChargewireException failed)
        {
            return Words.Of(failed.Status);
        }
    }

    private static void Send(Chargewire.Station station, string text, int tag) =>
        station.Send(text, tag == 0 ? SendOptions.None : SendOptions.Report, tag);

    private static string Statistics(Chargewire.Station station)
    {
        StationStatistics statistics = station.GetStatistics();
        return $"{Words.Of(statistics.State)}, {statistics.Connections} connections, {statistics.ReconnectAttempts} more attempts, " +
            $"{statistics.MessagesSent} sent, {statistics.MessagesReceived} received, {statistics.BytesReceived} bytes received, " +
            $"{statistics.MessagesNotSent} not sent, last error {Words.Of(statistics.LastError)}";
    }

    private static async Task<string> FloodAsync(Station station, int count)
    {
        for (int i = 1; i <= count; ++i)
        {
            Send(station.Connected!, i.ToString(CultureInfo.InvariantCulture), i);
        }

        int sent = 0, sentInOrder = 0, received = 0, receivedInOrder = 0;
        while (sent < count || received < count)
        {
            Note note = await station.NextAsync();
            switch (note.Type)
            {
                case StationEventType.Sent:
                    ++sent;
                    sentInOrder += note.Status == ChargewireStatus.Ok && note.Tag == sent ? 1 : 0;
                    break;
                case StationEventType.Message:
                    ++received;
                    receivedInOrder += Number(note.Data) == received ? 1 : 0;
                    break;
                default:
                    return note.Text;
            }
        }

        return $"{sentInOrder} sent in order, {receivedInOrder} received in order";
    }

    private static async Task<string> ThreadsAsync(Station station, int threads, int count)
    {
        int accepted = 0;
        await Task.WhenAll(Enumerable.Range(0, threads).Select(thread => Task.Factory.StartNew(
            () =>
            {
                for (int i = 1; i <= count; ++i)
                {
                    if (station.Connected!.TrySend($"{thread}:{i}") == ChargewireStatus.Ok)
                    {
                        Interlocked.Increment(ref accepted);
                    }
                }
            },
            TaskCreationOptions.LongRunning)));

        int received = 0, inOrder = 0;
        int[] last = new int[threads];
        while (received < accepted)
        {
            Note note = await station.NextAsync();
            if (note.Type != StationEventType.Message)
            {
                return note.Text;
            }

            ++received;
            int[] parts = [.. note.Data.Split(':').Select(Number)];
            inOrder += ++last[parts[0]] == parts[1] ? 1 : 0;
        }

        return $"{accepted} accepted, {received} received, {inOrder} in the order of their thread";
    }

    private static async Task<string> DisconnectInsideAsync(Station station, string text)
    {
        var outcome = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        station.Goodbye = (text, outcome);
        station.Connected!.Send(text);
        return await outcome.Task;
    }

    private static string Stale(Chargewire.Station station) =>
        $"send {Outcome(() => station.Send("x"))}, state {Outcome(() => _ = station.State)}, " +
        $"stats {Outcome(() => station.GetStatistics())}, disconnect {Outcome(() => station.DisconnectAsync())}";

    // ---- Ends

    private async Task<string> ShutdownAsync(int drainMilliseconds, string[] ids)
    {
        Station[] stations = [.. ids.Select(id => _stations[id])];
        using var warm = new CountdownEvent(ids.Length);
        Task<int>[] loads = [.. stations.Select(station => Task.Factory.StartNew(() => Load(station, warm), TaskCreationOptions.LongRunning))];
        warm.Wait();
        await _manager!.ShutdownAsync(TimeSpan.FromMilliseconds(drainMilliseconds));
        bool shutdownWasLast = await _reading;
        int accepted = (await Task.WhenAll(loads)).Sum();

        int sent = 0, closed = 0;
        foreach (Station station in stations)
        {
            var notes = new List<Note>();
            while (station.Notes.Reader.TryRead(out Note? note))
            {
                notes.Add(note);
            }

            sent += notes.Count(note => note.Type == StationEventType.Sent);
            closed += notes.Count(note => note.Type == StationEventType.Closed) == 1 && notes[^1].Type == StationEventType.Closed ? 1 : 0;
        }

        return $"{accepted} accepted, {sent} sent or told why not, {closed} closed, SHUTDOWN {(shutdownWasLast ? "last" : "not last")}";
    }

    /// <summary>Sends without pause until its station's turn in the shutdown has come. Returns how many were accepted.</summary>
    private static int Load(Station station, CountdownEvent warm)
    {
        int accepted = 0;
        while (true)
        {
            while (station.Heard.Wait(0))
            {
            }

            switch (station.Connected!.TrySend("load", SendOptions.Report, accepted + 1))
            {
                case ChargewireStatus.Ok:
                    if (++accepted == 1000)
                    {
                        warm.Signal();
                    }

                    break;
                case ChargewireStatus.QueueFull:
                    station.Heard.Wait();
                    break;
                default:
                    return accepted;
            }
        }
    }

    private static async Task CyclesAsync(int count, string url)
    {
        for (int i = 0; i < count; ++i)
        {
            await using var manager = new ChargewireManager(new ChargewireOptions { IoThreads = 1 });
            Chargewire.Station station = await manager.ConnectAsync("CP001", url);
            station.Send("hello");
        }

        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }
}
