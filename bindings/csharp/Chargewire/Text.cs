using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Chargewire;

/// <summary>Between what the ABI has and what .NET has.</summary>
internal static unsafe class Text
{
    internal static string From(byte* utf8) => Marshal.PtrToStringUTF8((nint)utf8) ?? "";

    internal static DateTimeOffset Time(long nanoseconds) => DateTimeOffset.UnixEpoch.AddTicks(nanoseconds / TimeSpan.NanosecondsPerTick);

    internal static DateTimeOffset? TimeOrNull(long nanoseconds) => nanoseconds == 0 ? null : Time(nanoseconds);

    internal static TimeSpan Duration(long nanoseconds) => TimeSpan.FromTicks(nanoseconds / TimeSpan.NanosecondsPerTick);

    internal delegate ChargewireStatus Read(byte* buffer, nuint capacity, nuint* needed);

    // One of which the library says how long it is. It may be longer at the second look, hence the loop.
    internal static string Of(Read read, int capacity, string what)
    {
        while (true)
        {
            nuint needed;
            byte[] buffer = ArrayPool<byte>.Shared.Rent(capacity);
            try
            {
                fixed (byte* data = buffer)
                {
                    ChargewireStatus status = read(data, (nuint)buffer.Length, &needed);
                    if (status != ChargewireStatus.TooBig)
                    {
                        ChargewireException.Check(status, what);
                        return Encoding.UTF8.GetString(data, (int)needed - 1);
                    }
                }
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }

            capacity = (int)(needed + (needed / 16));
        }
    }

    // For the ABI text ends at its first NUL. One inside would cut it off unseen.
    internal static string? Checked(string? text, string parameter) =>
        text is not null && text.Contains('\0', StringComparison.Ordinal)
            ? throw new ArgumentException("There is a NUL in this text.", parameter)
            : text;

    internal static string Option(TimeSpan value) => ((long)Math.Ceiling(value.TotalMilliseconds)).ToString(CultureInfo.InvariantCulture) + "ms";

    internal static string Option(double value) => value.ToString("0.##########", CultureInfo.InvariantCulture);
}
