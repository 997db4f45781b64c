using Chargewire.Interop;

namespace Chargewire;

/// <summary>A group of stations of one manager. It owns none of them: disposing of it disconnects no one, and one that has ended leaves by itself.</summary>
public sealed unsafe class StationPool : IDisposable
{
    private readonly PoolHandle _handle;

    /// <summary>An empty group.</summary>
    /// <param name="manager">Whose stations it is for.</param>
    public StationPool(ChargewireManager manager)
    {
        ArgumentNullException.ThrowIfNull(manager);
        ChargewireException.Check(NativeMethods.PoolNew(manager.Handle, out _handle), "A new pool");
    }

    /// <summary>How many of the group are connected now.</summary>
    public int ConnectedCount => Counts().Connected;

    /// <summary>How many are in the group.</summary>
    public int StationCount => Counts().Total;

    /// <summary>Takes a station into the group. Idempotent.</summary>
    /// <param name="station">Of the same manager.</param>
    /// <exception cref="ChargewireException">It has ended, or belongs to another manager.</exception>
    public void Add(Station station)
    {
        ArgumentNullException.ThrowIfNull(station);
        ChargewireException.Check(NativeMethods.PoolAdd(_handle, station.Token), $"{station.Id}: add to a pool");
    }

    /// <summary>Takes a station out of the group; its connection lives on.</summary>
    /// <param name="stationId">Its id.</param>
    /// <returns>False if it was not in the group.</returns>
    public bool Remove(string stationId)
    {
        ArgumentNullException.ThrowIfNull(stationId);
        ChargewireStatus status = NativeMethods.PoolRemove(_handle, Text.Checked(stationId, nameof(stationId)));
        if (status == ChargewireStatus.NotFound)
        {
            return false;
        }

        ChargewireException.Check(status, stationId);
        return true;
    }

    /// <summary>Whether a station is in the group.</summary>
    /// <param name="stationId">Its id.</param>
    /// <returns>True if it is.</returns>
    public bool Contains(string stationId)
    {
        ArgumentNullException.ThrowIfNull(stationId);
        return ChargewireException.Check(NativeMethods.PoolHas(_handle, Text.Checked(stationId, nameof(stationId))), stationId) > 0;
    }

    /// <summary><see cref="ChargewireManager.Broadcast(ReadOnlySpan{byte}, SendOptions)"/> to the group.</summary>
    /// <param name="message">Text in UTF-8, unless <paramref name="flags"/> say otherwise.</param>
    /// <param name="flags">How it is sent.</param>
    /// <returns>How many queues took it.</returns>
    public int Broadcast(ReadOnlySpan<byte> message, SendOptions flags = SendOptions.None)
    {
        nuint accepted;
        fixed (byte* data = message)
        {
            ChargewireException.Check(NativeMethods.PoolBroadcast(_handle, data, (nuint)message.Length, (uint)flags, &accepted), "Broadcast");
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

    /// <summary>The statistics of the group, in no order.</summary>
    /// <returns>As they are now.</returns>
    public IReadOnlyList<StationStatistics> GetStatistics() =>
        Lists.Statistics((stats, capacity, count) => NativeMethods.PoolStats(_handle, stats, capacity, count), "Statistics");

    /// <summary>Begins to disconnect all of the group, with 1000. Returns at once.</summary>
    public void DisconnectAll() => ChargewireException.Check(NativeMethods.PoolDisconnectAll(_handle), "Disconnect all");

    /// <summary>Ends the group; its stations live on.</summary>
    public void Dispose() => _handle.Dispose();

    private (int Connected, int Total) Counts()
    {
        nuint connected;
        nuint total;
        ChargewireException.Check(NativeMethods.PoolCounts(_handle, &connected, &total), "Counts");
        return ((int)connected, (int)total);
    }
}
