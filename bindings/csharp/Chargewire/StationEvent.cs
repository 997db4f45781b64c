using System.Text;
using Chargewire.Interop;

namespace Chargewire;

/// <summary>
/// One thing that happened, to a station or to the manager. A small value that owns what it shows, so it may be kept; a part of <see cref="Data"/>
/// keeps up to 64 KB of its neighbours alive, so copy what is kept for long.
/// </summary>
/// <remarks>What <see cref="Status"/>, <see cref="Code"/>, <see cref="Tag"/> and <see cref="Data"/> are, depends on <see cref="Type"/>:
/// <list type="table">
/// <listheader><term>Type</term><description>Status; Code; Tag; Data</description></listheader>
/// <item><term>Connected</term><description>Ok; 0; number of this connection, from 1; the subprotocol agreed on, <c>ocpp1.6</c></description></item>
/// <item><term>Message</term><description>Ok; 0; 0; the message</description></item>
/// <item><term>Sent</term><description>Ok, or why it was not sent; 0; the send's tag; empty</description></item>
/// <item><term>Writable</term><description>Ok; 0; 0; empty</description></item>
/// <item><term>Disconnected</term><description>why, Ok when by request; the close code: the peer's, ours or 1006; 0; one line: why, and what follows</description></item>
/// <item><term>Error</term><description>why; HTTP status, errno or X.509 result; number of failed attempts in a row; one line: an attempt failed, why, what follows</description></item>
/// <item><term>State</term><description>Ok; the new <see cref="StationState"/>; the old one; its name</description></item>
/// <item><term>Closed</term><description>Ok when by request; the close code, or 0 if never connected; 0; one line: why</description></item>
/// <item><term>Log</term><description>Ok; the <see cref="ChargewireLogLevel"/>; 0; one line</description></item>
/// <item><term>Endpoint</term><description>Ok; the new <see cref="BreakerState"/>; the old one; one line: which endpoint, why, what follows</description></item>
/// <item><term>Shutdown</term><description>Ok; 0; 0; empty</description></item>
/// <item><term>Paused</term><description>Ok; 0; how long, in nanoseconds; one line: how long, why, what to do</description></item>
/// </list>
/// </remarks>
public readonly struct StationEvent
{
    private readonly Station? _station;
    private readonly long _timeNanoseconds;
    private readonly uint _flags;

    internal unsafe StationEvent(NativeEvent* native, Station? station, ReadOnlyMemory<byte> data)
    {
        _station = station;
        _timeNanoseconds = native->TimeNs;
        _flags = native->Flags;
        Type = (StationEventType)native->Type;
        Status = native->Status;
        Code = native->Code;
        Tag = (long)native->Tag;
        Data = data;
        Failure = native->Failure == null ? null : new ConnectionFailure(native->Failure);
    }

    /// <summary>What happened.</summary>
    public StationEventType Type { get; }

    /// <summary>Ok, or why.</summary>
    public ChargewireStatus Status { get; }

    /// <summary>A close code, an HTTP status, an errno, a state, a level: by type.</summary>
    public int Code { get; }

    /// <summary>The tag of a send, or a number: by type.</summary>
    public long Tag { get; }

    /// <summary>The message, the subprotocol, or one line for people, in UTF-8: by type.</summary>
    public ReadOnlyMemory<byte> Data { get; }

    /// <summary>Of Error, and of Disconnected if not by request: all that is known, for programs. Else null.</summary>
    public ConnectionFailure? Failure { get; }

    /// <summary>When it happened.</summary>
    public DateTimeOffset Time => Chargewire.Text.Time(_timeNanoseconds);

    /// <summary>Whether it belongs to a station, and not to the manager.</summary>
    public bool HasStation => _station is not null;

    /// <summary>The station that it belongs to.</summary>
    /// <exception cref="InvalidOperationException">It belongs to the manager: Shutdown, Paused, Endpoint, and some of Log.</exception>
    public Station Station => _station ?? throw new InvalidOperationException($"An event of type {Type} belongs to the manager; see HasStation.");

    /// <summary>The id of that station; empty where the event belongs to the manager.</summary>
    public string StationId => _station?.Id ?? "";

    /// <summary><see cref="Data"/> as a string, made anew by each look.</summary>
    public string Text => Encoding.UTF8.GetString(Data.Span);

    /// <summary>Of Message, and of Sent: a binary message, and not text.</summary>
    public bool IsBinary => Has(NativeMethods.FlagBinary);

    /// <summary>Of Connected: not the first connection of this station, so OCPP wants no BootNotification.</summary>
    public bool IsReconnect => Has(NativeMethods.FlagReconnect);

    /// <summary>Of Disconnected and Error: another attempt follows by itself.</summary>
    public bool WillRetry => Has(NativeMethods.FlagWillRetry);

    /// <summary>Of Disconnected: the peer closed first.</summary>
    public bool IsRemote => Has(NativeMethods.FlagRemote);

    /// <summary>
    /// Of Error: refused a second time in the same way, by the CSMS (401, 403, 404, 426, no common OCPP version) or the proxy (403, 407), and so
    /// until somebody changes something. Once per row of refusals.
    /// </summary>
    public bool NeedsAction => Has(NativeMethods.FlagNeedsAction);

    /// <summary>For logs: type, station and text.</summary>
    /// <returns><c>Message CP001: [3,"1",{}]</c>.</returns>
    public override string ToString() =>
        (StationId.Length == 0 ? $"{Type}" : $"{Type} {StationId}") + (Data.IsEmpty ? "" : IsBinary ? $": {Data.Length} bytes" : $": {Text}");

    private bool Has(uint flag) => (_flags & flag) != 0;
}
