using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Chargewire.Interop;

namespace Chargewire;

/// <summary>
/// The objects of the stations that live. The library carries a reference to each along with its events; those that it began by itself, of the
/// configuration's <c>stations:</c>, are found by their tokens.
/// </summary>
internal sealed unsafe class StationTable(ChargewireManager manager, ManagerHandle handle)
{
    private readonly object _gate = new();
    private readonly Dictionary<string, Station> _byId = [];
    private readonly Dictionary<nint, Station> _adopted = [];

    internal Station Connect(string id, string? url, ConfigHandle overrides, object? userState)
    {
        var station = new Station(manager, id, userState);
        var reference = GCHandle.Alloc(station);
        NativeError error = Configuration.NewError();
        // Under the lock, or TryFind might make another object for the same station before this one is in the table.
        lock (_gate)
        {
            try
            {
                ChargewireStatus status = NativeMethods.ManagerConnect(
                    handle, id, url, overrides, (nuint)GCHandle.ToIntPtr(reference), out nint token, &error);
                ChargewireException.Check(status, id, &error);
                station.Token = token;
            }
            catch
            {
                reference.Free(); // a connect that fails yields no event
                throw;
            }

            _byId[id] = station; // its Closed takes it out, behind this lock
        }

        return station;
    }

    // When no more events come: after Shutdown nobody is left here.
    internal void EndAll()
    {
        Station[] left;
        lock (_gate)
        {
            left = [.. _byId.Values];
        }

        foreach (Station station in left)
        {
            station.End(ChargewireStatus.Closed, $"{station.Id}: its manager has ended.");
        }
    }

    internal bool TryFind(string id, [NotNullWhen(true)] out Station? station)
    {
        lock (_gate)
        {
            if (_byId.TryGetValue(id, out station))
            {
                return true;
            }

            // Under the lock, so that its Closed cannot be handled in between.
            if (NativeMethods.ManagerFind(handle, id, out nint token) != ChargewireStatus.Ok)
            {
                return false;
            }

            station = Adopt(token, id);
            return true;
        }
    }

    // On the pump's thread.
    internal Station? Of(NativeEvent* native)
    {
        if (native->Station == 0)
        {
            return null;
        }

        if (native->UserData != 0)
        {
            var station = (Station)GCHandle.FromIntPtr((nint)native->UserData).Target!;
            station.Token = native->Station; // its first event may be here before connect has returned
            return station;
        }

        lock (_gate)
        {
            return _adopted.TryGetValue(native->Station, out Station? known) ? known : Adopt(native->Station, Text.From(native->StationId));
        }
    }

    // On the pump's thread, with its Closed, after which nothing is heard of it.
    internal void Remove(NativeEvent* closed, Station station)
    {
        if (closed->UserData != 0)
        {
            GCHandle.FromIntPtr((nint)closed->UserData).Free();
        }

        lock (_gate)
        {
            _adopted.Remove(closed->Station);
            if (_byId.TryGetValue(station.Id, out Station? current) && current == station)
            {
                _byId.Remove(station.Id);
            }
        }
    }

    private Station Adopt(nint token, string id)
    {
        var station = new Station(manager, id, userState: null) { Token = token };
        _adopted[token] = station;
        _byId[id] = station;
        return station;
    }
}
