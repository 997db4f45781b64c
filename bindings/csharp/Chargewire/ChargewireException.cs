using Chargewire.Interop;

namespace Chargewire;

/// <summary>
/// A call, an attempt to connect or a message failed. <see cref="Exception.Message"/> is one line for people: what happened, to which station,
/// why, and what to do. <see cref="Status"/> is what to switch on.
/// </summary>
public sealed class ChargewireException : Exception
{
    /// <summary>Makes one.</summary>
    /// <param name="status">What went wrong, in one word.</param>
    /// <param name="message">One line for people.</param>
    /// <param name="failure">All that is known, where a connection failed.</param>
    public ChargewireException(ChargewireStatus status, string message, ConnectionFailure? failure = null)
        : base(message)
    {
        Status = status;
        Failure = failure;
    }

    /// <summary>What went wrong, in one word.</summary>
    public ChargewireStatus Status { get; }

    /// <summary>All that is known, where a connection failed; else null.</summary>
    public ConnectionFailure? Failure { get; }

    internal static ChargewireException Of(ChargewireStatus status, string what) =>
        new(status, $"{what}: {status}: {StatusText.Of(status)}.");

    // For calls that give a status alone. Positive ones are answers.
    internal static ChargewireStatus Check(ChargewireStatus status, string what) => status < 0 ? throw Of(status, what) : status;

    internal static unsafe void Check(ChargewireStatus status, string what, NativeError* error)
    {
        if (status < 0)
        {
            throw error->Message[0] == 0 ? Of(status, what) : new ChargewireException(status, Text.From(error->Message));
        }
    }
}
