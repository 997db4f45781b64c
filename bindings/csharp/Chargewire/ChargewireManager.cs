using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Chargewire.Interop;

namespace Chargewire;

/// <summary>
/// A fleet: its stations by id, and its events. All members may be called from any thread, at any time. Read <see cref="ReadEventsAsync"/> for as long
/// as it lives: what nobody reads fills the queue, here and in the library as many as <see cref="ChargewireOptions.EventQueueMax"/>, and when that is
/// full, reading from the sockets of its stations pauses until somebody does, and whatever awaits one of them waits as long.
/// </summary>
public sealed class ChargewireManager : IAsyncDisposable, IDisposable
{
    private readonly ManagerHandle _handle;
    private readonly StationTable _stations;
    private readonly EventQueue _events;

    /// <summary>Starts a manager.</summary>
    /// <param name="options">Copied. Null: all defaults.</param>
    /// <exception cref="ChargewireException">An option is wrong; the message names it and says what was expected.</exception>
    public unsafe ChargewireManager(ChargewireOptions? options = null)
    {
        using Configuration config = Configuration.From(options ?? new ChargewireOptions())!;
        NativeError error = Configuration.NewError();
        ChargewireException.Check(NativeMethods.ManagerNew(config.Handle, null, 0, out _handle, &error), "A new manager", &error);
        _stations = new StationTable(this, _handle);
        _events = new EventQueue(int.Parse(config.Get("event_queue_max"), CultureInfo.InvariantCulture));
        Pump = new EventPump(_handle, _stations, _events);
    }

    /// <summary>The version of the native library, <c>0.1.0</c>.</summary>
    public static unsafe string LibraryVersion => Text.From(NativeMethods.Version());

    /// <summary>How many stations are connected now.</summary>
    public int ConnectedCount => Counts().Connected;

    /// <summary>How many stations are known, those that gave up included.</summary>
    public int StationCount => Counts().Total;

    internal ManagerHandle Handle => _handle;

    internal EventPump Pump { get; }

    /// <summary>What an OCPP security event is called in a version of OCPP.</summary>
    /// <param name="securityEvent">Which one.</param>
    /// <param name="subprotocol">What Connected brings, <c>ocpp1.6</c>; null or any other means 2.x.</param>
    /// <returns><c>InvalidCsmsCertificate</c>; empty for None.</returns>
    public static unsafe string NameOf(SecurityEvent securityEvent, string? subprotocol = null) =>
        Text.From(NativeMethods.SecurityEventName((int)securityEvent, subprotocol));

    /// <summary>
    /// The events, oldest first: those of one station in their order, and never two at a time. The last is <see cref="StationEventType.Shutdown"/>.
    /// One reader at a time; who comes after another goes on where that one stopped. Do not await in the loop what only a later event can bring
    /// (another station's connect, a shutdown): start it there, and await it elsewhere.
    /// </summary>
    /// <param name="cancellationToken">Ends the reading. Nothing is lost by it.</param>
    /// <returns>The events, until the manager has shut down.</returns>
    /// <exception cref="InvalidOperationException">Somebody reads them already.</exception>
    public IAsyncEnumerable<StationEvent> ReadEventsAsync(CancellationToken cancellationToken = default) => _events.ReadAsync(cancellationToken);

    /// <summary>
    /// Adds a station and begins to connect it; returns at once. It keeps trying, for ever by default (<see cref="StationOptions.MaxReconnectAttempts"/>);
    /// what fails arrives as events.
    /// </summary>
    /// <param name="stationId">Percent-encoded onto the path of the URL. At most 48 characters, no colon, no control characters.</param>
    /// <param name="url"><c>ws://</c> or <c>wss://</c>; null: <see cref="StationOptions.DefaultUrl"/>.</param>
    /// <param name="overrides">What is not null here goes before the manager's options. Certificates and keys are read and checked at once.</param>
    /// <param name="userState">Becomes <see cref="Station.UserState"/>, also in its first event.</param>
    /// <returns>The station.</returns>
    /// <exception cref="ChargewireException">What is wrong with the call: no attempt is made, and no event comes.</exception>
    public Station Connect(string stationId, string? url = null, StationOptions? overrides = null, object? userState = null)
    {
        ArgumentNullException.ThrowIfNull(stationId);
        using Configuration? config = Configuration.From(overrides);
        return _stations.Connect(
            Text.Checked(stationId, nameof(stationId))!, Text.Checked(url, nameof(url)), config?.Handle ?? ConfigHandle.None, userState);
    }

    /// <summary>
    /// <see cref="Connect"/>, and waits until the station is connected. It keeps trying meanwhile, for ever by default: give a time by
    /// <paramref name="cancellationToken"/>. Cancelled, nothing of it is left, and the inner exception says why the last attempt failed.
    /// </summary>
    /// <param name="stationId">As in Connect.</param>
    /// <param name="url">As in Connect.</param>
    /// <param name="overrides">As in Connect.</param>
    /// <param name="userState">As in Connect.</param>
    /// <param name="cancellationToken">Ends the attempt, and the station.</param>
    /// <returns>The station, connected. It stays so by itself.</returns>
    /// <exception cref="ChargewireException">The call is wrong, or the station gave up or was ended: the message and the failure say why.</exception>
    /// <exception cref="OperationCanceledException">It was not connected before.</exception>
    public async Task<Station> ConnectAsync(
        string stationId, string? url = null, StationOptions? overrides = null, object? userState = null, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Station station = Connect(stationId, url, overrides, userState);
        try
        {
            await station.WaitUntilConnectedAsync(cancellationToken).ConfigureAwait(false);
            return station;
        }
        catch (OperationCanceledException)
        {
            station.Abandon();
            throw;
        }
    }

    /// <summary>Connects each entry of the configuration's <c>stations:</c> that is not connected yet. All are checked before the first is begun.</summary>
    /// <returns>How many were begun.</returns>
    /// <exception cref="ChargewireException">What is wrong, and with which of them.</exception>
    public unsafe int ConnectAll()
    {
        nuint count;
        NativeError error = Configuration.NewError();
        ChargewireException.Check(NativeMethods.ManagerConnectAll(_handle, &count, &error), "Connect all", &error);
        return (int)count;
    }

    /// <summary>The station of that id.</summary>
    /// <param name="stationId">Its id.</param>
    /// <param name="station">The station.</param>
    /// <returns>False if there is none, or if it has ended.</returns>
    public bool TryGetStation(string stationId, [NotNullWhen(true)] out Station? station)
    {
        ArgumentNullException.ThrowIfNull(stationId);
        return _stations.TryFind(Text.Checked(stationId, nameof(stationId))!, out station);
    }

    /// <summary>Sends the same message to every connected station. It is copied once, and nobody is waited for.</summary>
    /// <param name="message">Text in UTF-8, unless <paramref name="flags"/> say otherwise.</param>
    /// <param name="flags">How it is sent.</param>
    /// <returns>How many queues took it. A station whose queue is full is passed over, and gets Writable later.</returns>
    /// <exception cref="ChargewireException">It is too big for every station, or the manager is shutting down.</exception>
    public unsafe int Broadcast(ReadOnlySpan<byte> message, SendOptions flags = SendOptions.None)
    {
        nuint accepted;
        fixed (byte* data = message)
        {
            ChargewireException.Check(
                NativeMethods.ManagerBroadcast(_handle, data, (nuint)message.Length, (uint)flags, &accepted), "Broadcast");
        }

        return (int)accepted;
    }

    /// <inheritdoc cref="Broadcast(ReadOnlySpan{byte}, SendOptions)"/>
    public int Broadcast(string message, SendOptions flags = SendOptions.None)
    {
        ArgumentNullException.ThrowIfNull(message);
        using var utf8 = new Utf8Text(message, stackalloc byte[Utf8Text.StackBytes]);
        return Broadcast(utf8.Bytes, flags);
    }

    /// <summary>
    /// Sends many messages in one call, to one or many stations, in order. For who answers a whole batch: it wakes the I/O threads once, and not once a
    /// message.
    /// </summary>
    /// <param name="messages">The messages. Each gets its own <see cref="OutgoingMessage.Status"/>.</param>
    /// <returns>How many were accepted.</returns>
    public static int SendMany(Span<OutgoingMessage> messages) => OutgoingMessage.Send(messages);

    /// <summary>The statistics of all stations, in no order, those that gave up included.</summary>
    /// <returns>As they are now.</returns>
    public unsafe IReadOnlyList<StationStatistics> GetStatistics() =>
        Lists.Statistics((stats, capacity, count) => NativeMethods.ManagerAllStats(_handle, stats, capacity, count), "Statistics");

    /// <summary>The endpoints that stations use, or that are isolated, ordered by name.</summary>
    /// <returns>As they are now. None without a governor (<see cref="ChargewireOptions.GovernorEnabled"/>).</returns>
    public IReadOnlyList<EndpointStatus> GetEndpoints() => Lists.Endpoints(_handle);

    /// <summary>
    /// What is counted of the fleet, as text that Prometheus reads, for a program that has an HTTP server of its own; docs/metrics.md says what there
    /// is.
    /// </summary>
    /// <param name="format">How it is written.</param>
    /// <returns>As it is now.</returns>
    public unsafe string GetMetrics(MetricsFormat format = MetricsFormat.Prometheus) =>
        Text.Of((buffer, capacity, needed) => NativeMethods.ManagerMetrics(_handle, (int)format, buffer, capacity, needed), 1 << 16, "Metrics");

    /// <summary>
    /// Where the library serves that itself, "http://127.0.0.1:9464/metrics"; empty if it does not (<see cref="ChargewireOptions.MetricsListen"/>).
    /// </summary>
    public unsafe string MetricsUrl =>
        Text.Of((buffer, capacity, needed) => NativeMethods.ManagerMetricsUrl(_handle, buffer, capacity, needed), 128, "MetricsUrl");

    /// <summary>
    /// Takes an endpoint out of use, for maintenance perhaps: no station dials it until <see cref="Reset"/>. Connections that stand live on.
    /// </summary>
    /// <param name="url">Any URL there, of which path and query do not count.</param>
    /// <exception cref="ChargewireException">The URL is none, or there is no governor.</exception>
    public unsafe void Isolate(string url)
    {
        ArgumentNullException.ThrowIfNull(url);
        NativeError error = Configuration.NewError();
        ChargewireException.Check(NativeMethods.ManagerIsolate(_handle, Text.Checked(url, nameof(url)), &error), "Isolate", &error);
    }

    /// <summary>Puts an endpoint back into use, however it came out of it, and forgets what had failed.</summary>
    /// <param name="url">Any URL there.</param>
    /// <exception cref="ChargewireException">The URL is none, or there is no governor.</exception>
    public unsafe void Reset(string url)
    {
        ArgumentNullException.ThrowIfNull(url);
        NativeError error = Configuration.NewError();
        ChargewireException.Check(NativeMethods.ManagerReset(_handle, Text.Checked(url, nameof(url)), &error), "Reset", &error);
    }

    /// <summary>
    /// Writes every frame, upgrade and end of a station to <see cref="ChargewireOptions.TraceFile"/> from its next frame on, or ends that.
    /// </summary>
    /// <param name="stationId">The station.</param>
    /// <param name="on">False: no longer.</param>
    /// <exception cref="ChargewireException">The station is not known or gave up, or there is no such file to write to.</exception>
    public void Trace(string stationId, bool on = true)
    {
        ArgumentNullException.ThrowIfNull(stationId);
        SwitchTrace(Text.Checked(stationId, nameof(stationId)), on, "Trace");
    }

    /// <summary>The same for all stations, and for those to come.</summary>
    /// <param name="on">False: no longer.</param>
    /// <exception cref="ChargewireException">There is no such file to write to.</exception>
    public void TraceAll(bool on = true) => SwitchTrace(null, on, "Trace all");

    private unsafe void SwitchTrace(string? stationId, bool on, string doing)
    {
        NativeError error = Configuration.NewError();
        ChargewireException.Check(NativeMethods.ManagerTrace(_handle, stationId, on ? 1 : 0, &error), doing, &error);
    }

    /// <summary>Says that the network is there again: stations that wait for their next attempt begin it now, or as soon as they may.</summary>
    public void NetworkUp() => ChargewireException.Check(NativeMethods.ManagerNetworkUp(_handle), "Network up");

    /// <summary>Begins to disconnect all stations, with 1000, and forgets those that gave up. Returns at once.</summary>
    public void DisconnectAll() => ChargewireException.Check(NativeMethods.ManagerDisconnectAll(_handle), "Disconnect all");

    /// <summary>
    /// An orderly end: no new stations; what is queued is sent and each connection closed with 1001. Every Closed follows, then Shutdown. Somebody must
    /// read the events meanwhile, or it may wait for ever; <see cref="DisposeAsync"/> needs nobody.
    /// </summary>
    /// <param name="drain">The time for it, up to an hour. Zero: without waiting for the peers.</param>
    /// <param name="cancellationToken">Ends the waiting; the end goes on.</param>
    /// <returns>Completes when the manager has ended and all that it had is freed.</returns>
    public Task ShutdownAsync(TimeSpan drain, CancellationToken cancellationToken = default)
    {
        BeginShutdown((int)Math.Clamp(Math.Ceiling(drain.TotalMilliseconds), int.MinValue, int.MaxValue));
        return Pump.Ended.WaitAsync(cancellationToken);
    }

    /// <summary>
    /// Shuts down without waiting for the peers, or joins a shutdown that is under way. Events that wait to be read can still be read; those for which
    /// there is no room are dropped.
    /// </summary>
    /// <returns>Completes when Shutdown, the last event, was taken and all that the manager had is freed.</returns>
    public ValueTask DisposeAsync()
    {
        BeginShutdown(0);
        _events.Abandon();
        return new ValueTask(Pump.Ended);
    }

    /// <summary><see cref="DisposeAsync"/>, waited for.</summary>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    private unsafe (int Connected, int Total) Counts()
    {
        nuint connected;
        nuint total;
        ChargewireException.Check(NativeMethods.ManagerCounts(_handle, &connected, &total), "Counts");
        return ((int)connected, (int)total);
    }

    private void BeginShutdown(int drainMilliseconds)
    {
        try
        {
            ChargewireException.Check(NativeMethods.ManagerShutdown(_handle, drainMilliseconds), "Shutdown");
        }
        catch (ObjectDisposedException)
        {
            // It is over.
        }
    }
}
