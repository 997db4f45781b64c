using System.Buffers;
using System.Text;

namespace Chargewire;

/// <summary>A string as UTF-8 for as long as a call takes: in the caller's stack, or where that is too small in memory from the pool.</summary>
internal ref struct Utf8Text
{
    // What a caller gives of its stack.
    internal const int StackBytes = 768;

    private byte[]? _rented;

    internal Utf8Text(string text, Span<byte> stack)
    {
        int most = Encoding.UTF8.GetMaxByteCount(text.Length);
        Span<byte> buffer = most <= stack.Length ? stack : _rented = ArrayPool<byte>.Shared.Rent(most);
        Bytes = buffer[..Encoding.UTF8.GetBytes(text, buffer)];
    }

    internal ReadOnlySpan<byte> Bytes { get; }

    public void Dispose()
    {
        if (_rented is not null)
        {
            ArrayPool<byte>.Shared.Return(_rented);
            _rented = null;
        }
    }
}
