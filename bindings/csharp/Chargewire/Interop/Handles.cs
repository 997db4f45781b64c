using System.Runtime.InteropServices;

namespace Chargewire.Interop;

// What owns something of the library. Stations are owned by their manager, so their tokens are plain numbers, which the library checks.

internal abstract class TokenHandle() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;
}

internal sealed class ConfigHandle : TokenHandle
{
    // For calls that take no configuration.
    internal static readonly ConfigHandle None = new();

    protected override bool ReleaseHandle() => NativeMethods.ConfigFree(handle) == ChargewireStatus.Ok;
}

internal sealed class ManagerHandle : TokenHandle
{
    protected override bool ReleaseHandle() => NativeMethods.ManagerFree(handle) == ChargewireStatus.Ok;
}

internal sealed class PoolHandle : TokenHandle
{
    // INVALID_HANDLE: its manager was freed before, and took it along.
    protected override bool ReleaseHandle() => NativeMethods.PoolFree(handle) is ChargewireStatus.Ok or ChargewireStatus.InvalidHandle;
}
