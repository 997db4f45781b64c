using System.Diagnostics;
using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Bench;

/// <summary>What all clients take: see measurement.h.</summary>
internal sealed record Arguments(string Client, Uri Url, int Stations, int InFlight, int Messages, int Size, string? Ca)
{
    internal long RoundTrips => (long)Stations * Messages;

    internal int FirstBurst => Math.Min(InFlight, Messages);

    internal byte[] Payload()
    {
        byte[] payload = new byte[Size];
        payload.AsSpan().Fill((byte)'x');
        return payload;
    }

    internal static Arguments Parse(string[] words)
    {
        var options = words.Chunk(2).ToDictionary(pair => pair[0], pair => pair[1]);
        int Number(string name) => int.Parse(options[name], CultureInfo.InvariantCulture);
        return new Arguments(
            options["--by"], new Uri(options["--url"]), Number("--stations"), Number("--in-flight"), Number("--messages"), Number("--size"),
            options.GetValueOrDefault("--ca"));
    }
}

/// <summary>When each message that is on its way was sent: the answers of a station come in the order of its messages.</summary>
internal sealed class SendTimes(int inFlight)
{
    private readonly long[] _times = new long[inFlight];
    private int _sent;
    private int _answered;

    internal void Sent() => _times[_sent++ % _times.Length] = Stopwatch.GetTimestamp();

    internal long AnsweredNanoseconds() => (long)(Stopwatch.GetElapsedTime(_times[_answered++ % _times.Length]).Ticks * 100);
}

/// <summary>Nanoseconds in buckets, of which each power of two has 64.</summary>
internal sealed class Histogram
{
    private const int Cuts = 64;
    private readonly long[] _counts = new long[Cuts * Cuts];
    private long _max;

    // By many threads.
    internal void Record(long nanoseconds)
    {
        long index = nanoseconds;
        if (index >= Cuts)
        {
            int shift = 64 - BitOperations.LeadingZeroCount((ulong)index) - 7;
            index = ((shift + 1) * Cuts) + (index >> shift) - Cuts;
        }

        Interlocked.Increment(ref _counts[index]);
        for (long max = Volatile.Read(ref _max); nanoseconds > max; max = Volatile.Read(ref _max))
        {
            Interlocked.CompareExchange(ref _max, nanoseconds, max);
        }
    }

    /// <summary>In microseconds, the upper end of the bucket that holds it.</summary>
    internal double Percentile(double percent)
    {
        long wanted = (long)(percent / 100 * _counts.Sum());
        long seen = 0;
        for (int index = 0; index < _counts.Length; ++index)
        {
            seen += _counts[index];
            if (_counts[index] != 0 && seen >= wanted)
            {
                int shift = (index / Cuts) - 1;
                long end = index < Cuts ? index : ((index % Cuts) + Cuts + 1L << shift) - 1;
                return Math.Min(end, _max) / 1e3;
            }
        }

        return _max / 1e3;
    }
}

/// <summary>Wall clock and CPU of the whole process, from construction on.</summary>
internal sealed class Watch
{
    private readonly long _start = Stopwatch.GetTimestamp();
    private readonly Environment.ProcessCpuUsage _usage = Environment.CpuUsage;

    internal double Seconds => Stopwatch.GetElapsedTime(_start).TotalSeconds;

    internal double UserMicroseconds => (Environment.CpuUsage.UserTime - _usage.UserTime).TotalMicroseconds;

    internal double SystemMicroseconds => (Environment.CpuUsage.PrivilegedTime - _usage.PrivilegedTime).TotalMicroseconds;
}

internal static partial class Memory
{
    // After a collection that gives back all it can, of both heaps.
    internal static long ResidentBytes()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        _ = Trim(0);
        return long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[1], CultureInfo.InvariantCulture) * Environment.SystemPageSize;
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int Trim(nuint pad);
}

/// <summary>What a client measures, printed as the other clients do.</summary>
internal sealed class Result(Arguments arguments)
{
    private readonly long _residentBefore = Memory.ResidentBytes();
    private readonly Dictionary<string, object> _figures = new()
    {
        ["client"] = arguments.Client,
        ["stations"] = arguments.Stations,
        ["in_flight"] = arguments.InFlight,
        ["size"] = arguments.Size,
        ["tls"] = arguments.Url.Scheme == "wss",
        ["round_trips"] = arguments.RoundTrips,
    };

    private Watch _watch = new();

    internal Histogram Latency { get; } = new();

    /// <summary>To be called when the last station is connected.</summary>
    internal void Connected()
    {
        _figures["connects_per_second"] = arguments.Stations / _watch.Seconds;
        _figures["cpu_us_per_connect"] = (_watch.UserMicroseconds + _watch.SystemMicroseconds) / arguments.Stations;
        _figures["rss_per_connection_bytes"] = (double)(Memory.ResidentBytes() - _residentBefore) / arguments.Stations;
        _watch = new Watch();
    }

    /// <summary>To be called when the last message is answered.</summary>
    internal void Print()
    {
        double trips = Math.Max(1, arguments.RoundTrips);
        _figures["seconds"] = _watch.Seconds;
        _figures["cpu_user_us_per_trip"] = _watch.UserMicroseconds / trips;
        _figures["cpu_sys_us_per_trip"] = _watch.SystemMicroseconds / trips;
        _figures["latency_us"] = new[] { 50, 90, 99, 99.9 }
            .ToDictionary(percent => string.Create(CultureInfo.InvariantCulture, $"p{percent}"), Latency.Percentile)
            .Append(new("max", Latency.Percentile(100)))
            .ToDictionary();
        Console.Out.WriteLine(JsonSerializer.Serialize(_figures));
    }
}
