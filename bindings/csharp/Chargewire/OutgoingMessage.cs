using System.Buffers;
using Chargewire.Interop;

namespace Chargewire;

/// <summary>One message of <see cref="ChargewireManager.SendMany"/>.</summary>
/// <param name="station">To whom.</param>
/// <param name="data">Text in UTF-8, unless <paramref name="flags"/> say otherwise. Copied by the call.</param>
/// <param name="flags">How it is sent.</param>
/// <param name="tag">Comes back in its Sent. Not negative.</param>
public struct OutgoingMessage(Station station, ReadOnlyMemory<byte> data, SendOptions flags = SendOptions.None, long tag = 0)
{
    /// <summary>To whom.</summary>
    public readonly Station Station => station;

    /// <summary>What.</summary>
    public readonly ReadOnlyMemory<byte> Data => data;

    /// <summary>How it is sent.</summary>
    public readonly SendOptions Flags => flags;

    /// <summary>Comes back in its Sent.</summary>
    public readonly long Tag => tag;

    /// <summary>After the call: as <see cref="Station.TrySend(ReadOnlySpan{byte}, SendOptions, long)"/> would return.</summary>
    public ChargewireStatus Status { get; private set; }

    internal static unsafe int Send(Span<OutgoingMessage> messages)
    {
        if (messages.IsEmpty)
        {
            return 0;
        }

        NativeOutgoing[] native = ArrayPool<NativeOutgoing>.Shared.Rent(messages.Length);
        MemoryHandle[] pins = ArrayPool<MemoryHandle>.Shared.Rent(messages.Length);
        int pinned = 0;
        try
        {
            for (; pinned < messages.Length; ++pinned)
            {
                ref OutgoingMessage message = ref messages[pinned];
                ArgumentOutOfRangeException.ThrowIfNegative(message.Tag, nameof(messages));
                pins[pinned] = message.Data.Pin();
                native[pinned] = new NativeOutgoing
                {
                    Size = (nuint)sizeof(NativeOutgoing),
                    Station = message.Station.Token,
                    Data = pins[pinned].Pointer,
                    DataSize = (nuint)message.Data.Length,
                    Tag = (ulong)message.Tag,
                    Flags = (uint)message.Flags,
                };
            }

            nuint accepted;
            fixed (NativeOutgoing* first = native)
            {
                _ = NativeMethods.StationSendMany(first, (nuint)messages.Length, &accepted); // each has its own status
            }

            for (int i = 0; i < messages.Length; ++i)
            {
                messages[i].Status = native[i].Status;
            }

            return (int)accepted;
        }
        finally
        {
            for (int i = 0; i < pinned; ++i)
            {
                pins[i].Dispose();
            }

            ArrayPool<MemoryHandle>.Shared.Return(pins);
            ArrayPool<NativeOutgoing>.Shared.Return(native);
        }
    }
}
