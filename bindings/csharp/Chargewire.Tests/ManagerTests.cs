using System.Globalization;
using System.Text;
using Xunit;

namespace Chargewire.Tests;

/// <summary>What users rely on, against a CSMS that returns each message.</summary>
public sealed class ManagerTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource _patience = new(Patience);
    private readonly Csms _csms = new("--echo");

    private CancellationToken Soon => _patience.Token;

    public void Dispose()
    {
        _csms.Dispose();
        _patience.Dispose();
    }

    [Fact]
    public async Task Connect_completes_when_connected()
    {
        await using var manager = new ChargewireManager();
        Station station = await manager.ConnectAsync("CP001", _csms.Url, userState: "mine", cancellationToken: Soon);
        Assert.True(station.IsConnected);
        Assert.Equal(StationState.Connected, station.State);
        Assert.Equal((1, 1), (manager.ConnectedCount, manager.StationCount));
        Assert.True(manager.TryGetStation("CP001", out Station? found));
        Assert.Same(station, found);
        Assert.False(manager.TryGetStation("CP002", out _));

        StationEvent connected = await NextAsync(manager, StationEventType.Connected);
        Assert.Same(station, connected.Station);
        Assert.Equal("mine", connected.Station.UserState);
        Assert.Equal(("ocpp1.6", 1L, false), (connected.Text, connected.Tag, connected.IsReconnect));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Who_connects_a_fleet_need_not_read_its_events_meanwhile(bool atOnce)
    {
        const int count = 500;
        await using var manager = new ChargewireManager(new ChargewireOptions { DefaultUrl = _csms.Url });
        IEnumerable<Task> connects = Enumerable.Range(0, count).Select(i => (Task)manager.ConnectAsync(Id(i), cancellationToken: Soon));
        if (atOnce)
        {
            await Task.WhenAll(connects);
        }
        else
        {
            foreach (Task connect in connects) // begins each when the one before it is done
            {
                await connect;
            }
        }

        Assert.Equal(count, manager.ConnectedCount);
        await manager.DisposeAsync();
        var ends = new HashSet<string>();
        int connected = 0;
        await foreach (StationEvent happened in manager.ReadEventsAsync(Soon))
        {
            connected += happened.Type == StationEventType.Connected ? 1 : 0;
            Assert.True(happened.Type != StationEventType.Closed || ends.Add(happened.StationId));
        }

        Assert.Equal((count, count), (connected, ends.Count));
    }

    [Fact]
    public async Task A_station_that_gives_up_says_why_in_words_and_in_numbers()
    {
        await using var manager = new ChargewireManager();
        string nobody = Csms.Nobody;
        var failed = await Assert.ThrowsAsync<ChargewireException>(
            () => manager.ConnectAsync("CP001", nobody, new StationOptions { MaxReconnectAttempts = 1 }, cancellationToken: Soon));
        Assert.Equal(ChargewireStatus.Dial, failed.Status);
        Assert.Contains("CP001", failed.Message, StringComparison.Ordinal);
        Assert.Equal(ConnectionPhase.Tcp, failed.Failure!.Phase);
        Assert.Equal(111, failed.Failure.OsError);
        Assert.InRange(failed.Failure.Time, DateTimeOffset.UtcNow - Patience, DateTimeOffset.UtcNow + Patience);
        Assert.Null(failed.Failure.RetryAt);
    }

    [Fact]
    public async Task A_connect_that_is_cancelled_leaves_no_station_and_says_why_it_was_not_connected()
    {
        await using var manager = new ChargewireManager();
        using var cancel = new CancellationTokenSource();
        Task<Station> connect = manager.ConnectAsync("CP001", Csms.Nobody, cancellationToken: cancel.Token);
        await NextAsync(manager, StationEventType.Error);
        await cancel.CancelAsync();
        var canceled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connect);
        Assert.Equal(cancel.Token, canceled.CancellationToken);
        Assert.Equal(ChargewireStatus.Dial, Assert.IsType<ChargewireException>(canceled.InnerException).Status);
        await NextAsync(manager, StationEventType.Closed);
        Assert.False(manager.TryGetStation("CP001", out _));

        var timedOut = await Assert.ThrowsAsync<ChargewireException>(
            () => manager.Connect("CP002", Csms.Nobody).WaitUntilConnectedAsync(TimeSpan.FromMilliseconds(1)));
        Assert.Equal(ChargewireStatus.Timeout, timedOut.Status);
    }

    [Fact]
    public async Task A_call_that_is_wrong_throws_at_once()
    {
        await using var manager = new ChargewireManager();
        Assert.Equal(ChargewireStatus.InvalidArgument, Assert.Throws<ChargewireException>(() => manager.Connect("CP001", "http://localhost")).Status);
        Assert.Throws<ArgumentException>(() => manager.Connect("CP\0001"));
        Assert.Throws<ArgumentOutOfRangeException>(() => manager.Connect("CP001").TrySend("x", tag: -1));
        Assert.Equal(ChargewireStatus.Config, Assert.Throws<ChargewireException>(() => new ChargewireManager(new ChargewireOptions { IoThreads = 1000 })).Status);
    }

    [Fact]
    public async Task Events_own_what_they_show()
    {
        await using var manager = new ChargewireManager(new ChargewireOptions { SendQueueMessages = 10000, SendQueueBytes = 64 << 20 });
        Station station = await manager.ConnectAsync("CP001", _csms.Url, cancellationToken: Soon);
        string[] sent = [.. Enumerable.Range(0, 3000).Select(i => $"{i}:" + new string('x', i % 10 == 0 ? 20000 : i % 700)), "", "ümläut €"];
        foreach (string message in sent)
        {
            station.Send(message);
        }

        var kept = new List<StationEvent>();
        await foreach (StationEvent happened in manager.ReadEventsAsync(Soon))
        {
            if (happened.Type == StationEventType.Message)
            {
                kept.Add(happened);
            }

            if (kept.Count == sent.Length)
            {
                break;
            }
        }

        // Long after the batch that they came in was given back.
        Assert.Equal(sent, kept.Select(message => message.Text));
    }

    [Fact]
    public async Task Binary_messages_and_tags_come_back()
    {
        await using var manager = new ChargewireManager();
        Station station = await manager.ConnectAsync("CP001", _csms.Url, cancellationToken: Soon);
        station.Send([0, 255, 128], SendOptions.Binary | SendOptions.Report, 42);
        StationEvent sent = await NextAsync(manager, StationEventType.Sent);
        Assert.Equal((42L, ChargewireStatus.Ok), (sent.Tag, sent.Status));
        StationEvent answer = await NextAsync(manager, StationEventType.Message);
        Assert.True(answer.IsBinary);
        Assert.Equal([0, 255, 128], answer.Data.ToArray());
    }

    [Fact]
    public async Task While_nobody_reads_the_peers_wait_and_nothing_is_lost()
    {
        const int count = 5000;
        static string Message(int number) => number.ToString(CultureInfo.InvariantCulture).PadLeft(1024);
        await using var manager = new ChargewireManager(
            new ChargewireOptions { EventQueueMax = 64, SendQueueMessages = count, SendQueueBytes = 64 << 20, IoThreads = 1 });
        Station station = await manager.ConnectAsync("CP001", _csms.Url, cancellationToken: Soon);
        for (int i = 0; i < count; ++i)
        {
            station.Send(Message(i));
        }

        while (station.GetStatistics().ReadingPauses == 0)
        {
            await Task.Delay(1, Soon);
        }

        // The library's queue is full with 64 and then may have two reads from the socket more, of 64 KiB each: the one that filled it, and the
        // one after which the station is paused. So may the batch that waits to be put here, and the one before it, which found room beside 64.
        const int inOnePlace = 64 + (2 * 64);
        Assert.InRange(station.GetStatistics().MessagesReceived, 1, 64 + (3 * inOnePlace));
        bool paused = false;
        int next = 0;
        await foreach (StationEvent happened in manager.ReadEventsAsync(Soon))
        {
            paused |= happened.Type == StationEventType.Paused;
            if (happened.Type == StationEventType.Message && happened.Text == Message(next) && ++next == count)
            {
                break;
            }
        }

        Assert.Equal(count, next);
        Assert.True(paused);
    }

    [Fact]
    public async Task Who_goes_on_runs_on_no_thread_of_the_library()
    {
        await using var manager = new ChargewireManager();

        // Without a context that would bring each await back to where it came from.
        await Task.Run(async () =>
        {
            Station station = await manager.ConnectAsync("CP001", _csms.Url, cancellationToken: Soon);
            AssertThreadOfThePool();
            await station.SendAsync("hello"u8.ToArray(), cancellationToken: Soon);
            AssertThreadOfThePool();
            await foreach (StationEvent happened in manager.ReadEventsAsync(Soon))
            {
                AssertThreadOfThePool();
                if (happened.Type == StationEventType.Message)
                {
                    break;
                }
            }

            await station.DisconnectAsync();
            AssertThreadOfThePool();
            await manager.ShutdownAsync(TimeSpan.FromSeconds(5), Soon);
            AssertThreadOfThePool();
        });
    }

    [Fact]
    public async Task A_send_that_is_awaited_waits_for_room_and_for_the_kernel()
    {
        await using var manager = new ChargewireManager(new ChargewireOptions { SendQueueMessages = 4, PongTimeout = TimeSpan.FromHours(1) });
        Station station = await manager.ConnectAsync("CP001", _csms.Url, cancellationToken: Soon);
        _csms.Signal("STOP");
        byte[] big = new byte[512 * 1024];
        int filled = 0;
        ChargewireStatus status;
        while ((status = station.TrySend(big, SendOptions.Binary)) == ChargewireStatus.Ok)
        {
            ++filled;
        }

        Assert.Equal(ChargewireStatus.QueueFull, status);
        Task[] sends = [.. Enumerable.Range(0, 40).Select(_ => station.SendAsync(big, binary: true, Soon))]; // more than sockets hold
        Assert.Contains(sends, send => !send.IsCompleted);
        _csms.Signal("CONT");
        await Task.WhenAll(sends);
        Assert.Equal(filled + 40, station.GetStatistics().MessagesSent);
    }

    [Fact]
    public async Task A_send_that_was_accepted_and_could_not_be_sent_throws()
    {
        await using var manager = new ChargewireManager(new ChargewireOptions { PongTimeout = TimeSpan.FromHours(1), SendQueueBytes = 64 << 20 });
        Station station = await manager.ConnectAsync("CP001", _csms.Url, cancellationToken: Soon);
        _csms.Signal("STOP");
        Task[] sends = [.. Enumerable.Range(0, 40).Select(_ => station.SendAsync(new byte[1 << 20], binary: true, Soon))];
        _csms.Kill();
        var failed = await Assert.ThrowsAsync<ChargewireException>(() => Task.WhenAll(sends));
        Assert.Contains(failed.Status, new[] { ChargewireStatus.Closed, ChargewireStatus.NotEstablished });
        Assert.Equal(ChargewireStatus.NotEstablished, (await Assert.ThrowsAsync<ChargewireException>(() => station.SendAsync(new byte[1]))).Status);
    }

    [Fact]
    public async Task Reading_may_stop_and_go_on_and_is_for_one()
    {
        await using var manager = new ChargewireManager();
        Station station = await manager.ConnectAsync("CP001", _csms.Url, cancellationToken: Soon);
        foreach (string message in new[] { "a", "b", "c" })
        {
            station.Send(message);
        }

        Assert.Equal("a", (await NextAsync(manager, StationEventType.Message)).Text);
        Assert.Equal("b", (await NextAsync(manager, StationEventType.Message)).Text);
        await using (IAsyncEnumerator<StationEvent> reader = manager.ReadEventsAsync(Soon).GetAsyncEnumerator())
        {
            Assert.True(await reader.MoveNextAsync());
            Assert.Equal("c", reader.Current.Text);
            await Assert.ThrowsAsync<InvalidOperationException>(() => NextAsync(manager, StationEventType.Message));
        }

        using var cancel = new CancellationTokenSource();
        ValueTask<bool> next = manager.ReadEventsAsync(cancel.Token).GetAsyncEnumerator().MoveNextAsync();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next.AsTask());
    }

    [Fact]
    public async Task Shutdown_ends_with_its_event_and_dispose_waits_for_it()
    {
        var manager = new ChargewireManager();
        Station station = await manager.ConnectAsync("CP001", _csms.Url, cancellationToken: Soon);
        Task shutdown = manager.ShutdownAsync(TimeSpan.FromSeconds(10), Soon);
        var types = new List<StationEventType>();
        await foreach (StationEvent happened in manager.ReadEventsAsync(Soon))
        {
            types.Add(happened.Type);
        }

        await shutdown;
        Assert.Equal([StationEventType.Closed, StationEventType.Shutdown], types[^2..]);
        await station.Completion;
        await manager.DisposeAsync();
        await manager.DisposeAsync();
        Assert.Throws<ObjectDisposedException>(() => manager.GetStatistics());
        Assert.Equal(ChargewireStatus.InvalidHandle, Assert.Throws<ChargewireException>(() => station.Send("x")).Status);
        Assert.False(station.IsConnected);
    }

    [Fact]
    public async Task Dispose_needs_nobody_who_reads()
    {
        var manager = new ChargewireManager(new ChargewireOptions { EventQueueMax = 1 });
        Station[] stations = [.. Enumerable.Range(0, 50).Select(i => manager.Connect(Id(i), _csms.Url))];
        await manager.DisposeAsync();
        Assert.All(stations, station => Assert.True(station.Completion.IsCompleted));
    }

    [Fact]
    public async Task A_station_comes_back_by_itself_and_may_be_reconfigured()
    {
        await using var manager = new ChargewireManager(new ChargewireOptions { ReconnectBackoff = TimeSpan.FromMilliseconds(20) });
        Station station = await manager.ConnectAsync("CP001", _csms.Url, cancellationToken: Soon);
        _csms.Tell("close 1001 bye");
        StationEvent lost = await NextAsync(manager, StationEventType.Disconnected);
        Assert.Equal((1001, true, true), (lost.Code, lost.IsRemote, lost.WillRetry));
        Assert.True((await NextAsync(manager, StationEventType.Connected)).IsReconnect);

        station.Reconfigure(overrides: new StationOptions { Headers = new Dictionary<string, string> { ["X-Site"] = "Rotterdam" } }, reconnect: true);
        Assert.Equal(ChargewireStatus.Ok, (await NextAsync(manager, StationEventType.Disconnected)).Status);
        Assert.Equal(3, (await NextAsync(manager, StationEventType.Connected)).Tag);
        Assert.Equal(2, station.GetStatistics().ReconnectAttempts);
    }

    [Fact]
    public async Task Pools_broadcasts_endpoints_and_many_at_once()
    {
        await using var manager = new ChargewireManager(new ChargewireOptions { DefaultUrl = _csms.Url });
        Station[] stations = await Task.WhenAll(Enumerable.Range(0, 3).Select(i => manager.ConnectAsync(Id(i), cancellationToken: Soon)));
        using var pool = new StationPool(manager);
        pool.Add(stations[0]);
        pool.Add(stations[1]);
        Assert.Equal((2, 2), (pool.ConnectedCount, pool.StationCount));
        Assert.Equal([Id(0), Id(1)], pool.GetStatistics().Select(station => station.StationId).Order());
        Assert.True(pool.Contains(Id(1)));
        Assert.True(pool.Remove(Id(1)));
        Assert.False(pool.Remove(Id(1)));
        Assert.Equal((1, 3), (pool.Broadcast("to one"), manager.Broadcast("to all")));

        OutgoingMessage[] many = [.. stations.Select(station => new OutgoingMessage(station, "many"u8.ToArray(), SendOptions.Report, 7))];
        Assert.Equal(3, ChargewireManager.SendMany(many));
        Assert.All(many, message => Assert.Equal(ChargewireStatus.Ok, message.Status));
        await NextAsync(manager, StationEventType.Sent);
        Assert.Equal(3, manager.GetStatistics().Count);

        EndpointStatus endpoint = Assert.Single(manager.GetEndpoints());
        Assert.Equal((_csms.Url, BreakerState.Closed), (endpoint.Name, endpoint.Breaker));
        Assert.Contains($"chargewire_connections_total{{endpoint=\"{_csms.Url}\"}} 3\n", manager.GetMetrics(), StringComparison.Ordinal);
        Assert.EndsWith("\n# EOF\n", manager.GetMetrics(MetricsFormat.OpenMetrics), StringComparison.Ordinal);
        Assert.Empty(manager.MetricsUrl);
        manager.Isolate(_csms.Url);
        Assert.Equal(BreakerState.Isolated, manager.GetEndpoints()[0].Breaker);
        Assert.False((await NextAsync(manager, StationEventType.Endpoint)).HasStation);
        manager.Reset(_csms.Url);
        manager.NetworkUp();
        pool.DisconnectAll();
        await stations[0].Completion;
        manager.DisconnectAll();
        await Task.WhenAll(stations.Select(station => station.Completion));
    }

    [Fact]
    public async Task A_trace_goes_to_the_file_that_is_configured()
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            await using (var manager = new ChargewireManager(new ChargewireOptions { TraceFile = path }))
            {
                await manager.ConnectAsync(Id(1), _csms.Url);
                manager.Trace(Id(1));
                Assert.Equal(ChargewireStatus.NotFound, Assert.Throws<ChargewireException>(() => manager.Trace("nobody")).Status);
                manager.TraceAll();
            }
            Assert.Contains("\"event\":\"closed\"", await File.ReadAllTextAsync(path), StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
        await using var without = new ChargewireManager();
        Assert.Contains("trace.file", Assert.Throws<ChargewireException>(() => without.TraceAll()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_stations_of_a_yaml_file_are_stations_like_others()
    {
        string path = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(path, $"csms: {{ default_url: \"{_csms.Url}\" }}\nstations: [{{ id: CP001 }}, {{ id: CP002 }}]\n");
            await using var manager = new ChargewireManager(new ChargewireOptions { YamlFile = path });
            Assert.Equal(2, manager.ConnectAll());
            Assert.True(manager.TryGetStation("CP002", out Station? found));
            await found.WaitUntilConnectedAsync(Soon);
            StationEvent connected;
            do
            {
                connected = await NextAsync(manager, StationEventType.Connected);
            }
            while (connected.StationId != "CP002");
            Assert.Same(found, connected.Station);
            await found.DisconnectAsync(3001, "enough");
            Assert.False(manager.TryGetStation("CP002", out _));
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static string Id(int number) => string.Create(CultureInfo.InvariantCulture, $"CP{number:D4}");

    private static void AssertThreadOfThePool()
    {
        Assert.True(Thread.CurrentThread.IsThreadPoolThread, $"runs on \"{Thread.CurrentThread.Name}\"");
        Assert.Null(SynchronizationContext.Current);
    }

    private async Task<StationEvent> NextAsync(ChargewireManager manager, StationEventType type)
    {
        await foreach (StationEvent happened in manager.ReadEventsAsync(Soon))
        {
            if (happened.Type == type)
            {
                return happened;
            }
        }

        throw new InvalidOperationException($"the manager shut down before an event of type {type}");
    }
}
