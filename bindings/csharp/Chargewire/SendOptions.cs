using Chargewire.Interop;

namespace Chargewire;

/// <summary>How a message is sent.</summary>
[Flags]
public enum SendOptions
{
    /// <summary>A text message, which is what OCPP-J uses. It is UTF-8.</summary>
    None = 0,

    /// <summary>A binary message.</summary>
    Binary = (int)NativeMethods.FlagBinary,

    /// <summary>A <see cref="StationEventType.Sent"/> follows when the kernel has taken the message. One that was accepted and could not be sent is reported in any case.</summary>
    Report = (int)NativeMethods.FlagReport,
}
