using Chargewire.Interop;

namespace Chargewire;

/// <summary>
/// One station's connection. It owns nothing: its manager does. All members may be called from any thread, at any time; once the station has ended,
/// they fail with <see cref="ChargewireStatus.InvalidHandle"/>.
/// </summary>
public sealed class Station
{
    private const string NotSent = "not sent";

    private readonly object _gate = new();
    private readonly TaskCompletionSource _ended = NewPromise();
    private TaskCompletionSource? _connected;
    private TaskCompletionSource? _room;
    private ChargewireException? _lastFailure;
    private bool _isConnected;

    internal Station(ChargewireManager manager, string id, object? userState)
    {
        Manager = manager;
        Id = id;
        UserState = userState;
    }

    /// <summary>The manager that it belongs to.</summary>
    public ChargewireManager Manager { get; }

    /// <summary>The station's id.</summary>
    public string Id { get; }

    /// <summary>Whatever the program wants to find here again.</summary>
    public object? UserState { get; set; }

    /// <summary>Where it stands now.</summary>
    /// <exception cref="ChargewireException">It has ended.</exception>
    public StationState State
    {
        get
        {
            Check(NativeMethods.StationState(Token, out int state), "no state");
            return (StationState)state;
        }
    }

    /// <summary>Whether messages flow now.</summary>
    public bool IsConnected => NativeMethods.StationState(Token, out int state) == ChargewireStatus.Ok && state == (int)StationState.Connected;

    /// <summary>Completes when the station has ended, by request or because it gave up, and its <see cref="StationEventType.Closed"/> is on its way.</summary>
    public Task Completion => _ended.Task;

    internal nint Token { get; set; }

    /// <summary>
    /// Waits until it is connected. It keeps trying meanwhile, for ever by default (<see cref="StationOptions.MaxReconnectAttempts"/>): give a time
    /// by <paramref name="cancellationToken"/>. Cancelled, the station goes on, and the inner exception says why the last attempt failed.
    /// </summary>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>Completes when it is connected; at once if it is.</returns>
    /// <exception cref="ChargewireException">It gave up or was ended; the message and the failure say why.</exception>
    /// <exception cref="OperationCanceledException">It was not connected before.</exception>
    public async Task WaitUntilConnectedAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Task connected;
        lock (_gate)
        {
            if (_isConnected)
            {
                return;
            }

            if (_ended.Task.IsCompleted)
            {
                throw Why();
            }

            connected = (_connected ??= NewPromise()).Task;
        }

        try
        {
            await connected.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException canceled)
        {
            ChargewireException? last = Volatile.Read(ref _lastFailure);
            throw new OperationCanceledException(
                last is null ? $"{Id}: not connected yet." : $"{Id}: not connected yet. {last.Message}", last, canceled.CancellationToken);
        }
    }

    /// <summary>The same with a time.</summary>
    /// <param name="timeout">How long to wait.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>Completes when it is connected; at once if it is.</returns>
    /// <exception cref="ChargewireException">
    /// It gave up or was ended; or <see cref="ChargewireStatus.Timeout"/>, and then the message says why the last attempt failed.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was not connected before.</exception>
    public async Task WaitUntilConnectedAsync(TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        using var timed = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timed.CancelAfter(timeout);
        try
        {
            await WaitUntilConnectedAsync(timed.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException canceled) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ChargewireException(ChargewireStatus.Timeout, canceled.Message, (canceled.InnerException as ChargewireException)?.Failure);
        }
    }

    /// <summary>
    /// Sends one message: copies it, never blocks. Once accepted it will be sent, or reported as not sent by a <see cref="StationEventType.Sent"/>
    /// that has <paramref name="tag"/>; never is it sent twice. For where a full queue and a station that is not connected are everyday answers.
    /// </summary>
    /// <param name="message">Text in UTF-8, unless <paramref name="flags"/> say otherwise.</param>
    /// <param name="flags">How it is sent.</param>
    /// <param name="tag">Comes back in its Sent. Not negative.</param>
    /// <returns>
    /// <see cref="ChargewireStatus.Ok"/>, <see cref="ChargewireStatus.QueueFull"/> (a <see cref="StationEventType.Writable"/> follows),
    /// <see cref="ChargewireStatus.NotEstablished"/>, <see cref="ChargewireStatus.TooBig"/>, <see cref="ChargewireStatus.InvalidHandle"/> (it has ended) or
    /// <see cref="ChargewireStatus.NoMemory"/>.
    /// </returns>
    public ChargewireStatus TrySend(ReadOnlySpan<byte> message, SendOptions flags = SendOptions.None, long tag = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tag);
        return SendNow(message, flags, (ulong)tag);
    }

    /// <inheritdoc cref="TrySend(ReadOnlySpan{byte}, SendOptions, long)"/>
    public ChargewireStatus TrySend(string message, SendOptions flags = SendOptions.None, long tag = 0)
    {
        ArgumentNullException.ThrowIfNull(message);
        using var utf8 = new Utf8Text(message, stackalloc byte[Utf8Text.StackBytes]);
        return TrySend(utf8.Bytes, flags, tag);
    }

    /// <inheritdoc cref="TrySend(ReadOnlySpan{byte}, SendOptions, long)" path="/summary"/>
    /// <inheritdoc cref="TrySend(ReadOnlySpan{byte}, SendOptions, long)" path="/param"/>
    /// <exception cref="ChargewireException">It was not accepted.</exception>
    public void Send(ReadOnlySpan<byte> message, SendOptions flags = SendOptions.None, long tag = 0) => Check(TrySend(message, flags, tag), NotSent);

    /// <inheritdoc cref="Send(ReadOnlySpan{byte}, SendOptions, long)"/>
    public void Send(string message, SendOptions flags = SendOptions.None, long tag = 0) => Check(TrySend(message, flags, tag), NotSent);

    /// <summary>
    /// Sends one message and waits until the kernel has taken it. Waits for room where the send queue is full. Whoever calls it several times without
    /// awaiting gets no promise about the order once the queue is full.
    /// Not for the loop that reads the events: what it waits for stands behind the events that only that loop takes. <see cref="Send(ReadOnlySpan{byte}, SendOptions, long)"/>
    /// does not wait.
    /// </summary>
    /// <param name="message">Text in UTF-8, unless <paramref name="binary"/>. Not copied before there is room.</param>
    /// <param name="binary">A binary message, and not text.</param>
    /// <param name="cancellationToken">Ends the waiting. A message that was accepted is sent all the same.</param>
    /// <returns>Completes when the kernel has taken the message. It has no event of its own.</returns>
    /// <exception cref="ChargewireException">It was not accepted, or accepted and not sent.</exception>
    public async Task SendAsync(ReadOnlyMemory<byte> message, bool binary = false, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        SendOptions flags = SendOptions.Report | (binary ? SendOptions.Binary : SendOptions.None);
        Task? room = null;
        while (true)
        {
            (ulong tag, Task sent) = Manager.Pump.NewSend(this);
            ChargewireStatus status = SendNow(message.Span, flags, tag);
            if (status == ChargewireStatus.Ok)
            {
                await sent.WaitAsync(cancellationToken).ConfigureAwait(false);
                return;
            }

            Manager.Pump.ForgetSend(tag);
            if (status != ChargewireStatus.QueueFull)
            {
                Check(status, NotSent);
            }

            // Room may have come between the two lines above, so try once more, now that its coming is noticed.
            if (room is null)
            {
                room = NextRoom();
                continue;
            }

            await room.WaitAsync(cancellationToken).ConfigureAwait(false);
            room = null;
        }
    }

    /// <summary>The statistics.</summary>
    /// <returns>As they are now.</returns>
    /// <exception cref="ChargewireException">The station has ended.</exception>
    public unsafe StationStatistics GetStatistics()
    {
        NativeStats stats = new() { Size = (nuint)sizeof(NativeStats) };
        Check(NativeMethods.StationStats(Token, &stats), "no statistics");
        return new StationStatistics(&stats);
    }

    /// <summary>
    /// Changes how it connects: another password, URL or certificate, another ping interval. Options that act on an open connection do so at once; the
    /// others are those of the next attempt. Files are read again in any case, so a call without arguments takes up renewed ones. Returns at once.
    /// </summary>
    /// <param name="url">Another URL; null: as it is.</param>
    /// <param name="overrides">What is not null here changes.</param>
    /// <param name="reconnect">Connects again at once: after what is queued was sent and the connection closed in order.</param>
    /// <exception cref="ChargewireException">What is wrong, and nothing is changed.</exception>
    public unsafe void Reconfigure(string? url = null, StationOptions? overrides = null, bool reconnect = false)
    {
        using Configuration? config = Configuration.From(overrides);
        NativeError error = Configuration.NewError();
        ChargewireException.Check(
            NativeMethods.StationReconfigure(
                Token, Text.Checked(url, nameof(url)), config?.Handle ?? ConfigHandle.None, reconnect ? NativeMethods.ReconfigureReconnect : 0, &error),
            $"{Id}: reconfigure",
            &error);
    }

    /// <summary>
    /// Ends the station: sends what is queued, then a close frame, within <see cref="StationOptions.CloseTimeout"/>. It never reconnects. Begins at once,
    /// also if nobody awaits it. The first call's code and reason count.
    /// </summary>
    /// <param name="closeCode">1000, 1001, or 3000 to 4999 (RFC 6455 7.4).</param>
    /// <param name="reason">At most 123 bytes of UTF-8.</param>
    /// <returns>Completes when the station has ended.</returns>
    /// <exception cref="ChargewireException">The code or the reason is none, or it has ended already.</exception>
    public Task DisconnectAsync(int closeCode = 1000, string? reason = null)
    {
        Check(
            closeCode is < 1 or > ushort.MaxValue
                ? ChargewireStatus.InvalidArgument
                : NativeMethods.StationDisconnect(Token, (ushort)closeCode, Text.Checked(reason, nameof(reason))),
            "not disconnected");
        return Completion;
    }

    /// <summary>The id, for logs.</summary>
    /// <returns><see cref="Id"/>.</returns>
    public override string ToString() => Id;

    internal static TaskCompletionSource NewPromise() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Nobody has it any more. It may have ended already.
    internal void Abandon() => NativeMethods.StationDisconnect(Token, 0, null);

    // On the pump's thread, before anybody sees the event.
    internal void Observe(in StationEvent seen)
    {
        switch (seen.Type)
        {
            case StationEventType.Connected:
                lock (_gate)
                {
                    _isConnected = true;
                    _connected?.SetResult();
                    _connected = null;
                }

                break;
            case StationEventType.Error:
                Volatile.Write(ref _lastFailure, new ChargewireException(seen.Status, seen.Text, seen.Failure));
                break;
            case StationEventType.Disconnected:
                lock (_gate)
                {
                    _isConnected = false;
                }

                GiveRoom();
                break;
            case StationEventType.Writable:
                GiveRoom();
                break;
            case StationEventType.Closed:
                End(seen.Status, seen.Text);
                break;
        }
    }

    // By its Closed, or when there are no more events to come.
    internal void End(ChargewireStatus status, string text)
    {
        lock (_gate)
        {
            _isConnected = false;
            if (!_ended.TrySetResult())
            {
                return;
            }

            ChargewireException? last = _lastFailure;
            _lastFailure = new ChargewireException(status == ChargewireStatus.Ok ? ChargewireStatus.Closed : status, text, last?.Failure);
            _connected?.SetException(Why());
            // Whoever was waiting may have stopped: then nobody looks at this exception.
            _ = _connected?.Task.Exception;
            _connected = null;
        }

        GiveRoom();
    }

    private ChargewireException Why() => _lastFailure!;

    private unsafe ChargewireStatus SendNow(ReadOnlySpan<byte> message, SendOptions flags, ulong tag)
    {
        fixed (byte* data = message)
        {
            return NativeMethods.StationSend(Token, data, (nuint)message.Length, (uint)flags, tag);
        }
    }

    private void Check(ChargewireStatus status, string what)
    {
        if (status == ChargewireStatus.InvalidHandle)
        {
            throw new ChargewireException(status, $"{Id}: {what}: the station has ended.");
        }

        ChargewireException.Check(status, $"{Id}: {what}");
    }

    private Task NextRoom()
    {
        TaskCompletionSource? room = Volatile.Read(ref _room);
        if (room is null)
        {
            var fresh = NewPromise();
            room = Interlocked.CompareExchange(ref _room, fresh, null) ?? fresh;
        }

        return room.Task;
    }

    private void GiveRoom() => Interlocked.Exchange(ref _room, null)?.SetResult();
}
