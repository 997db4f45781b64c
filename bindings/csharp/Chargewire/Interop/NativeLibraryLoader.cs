using System.Reflection;
using System.Runtime.InteropServices;

namespace Chargewire.Interop;

internal static unsafe partial class NativeMethods
{
    static NativeMethods() => NativeLibrary.SetDllImportResolver(typeof(NativeMethods).Assembly, NativeLibraryLoader.Resolve);
}

/// <summary>Finds the native library: the package's own, or the one that is installed on this system.</summary>
internal static unsafe class NativeLibraryLoader
{
    internal const string Name = "chargewire";

    // The name by which a library of this ABI is installed.
    private const string Installed = "libchargewire.so.0";

    internal static nint Resolve(string name, Assembly assembly, DllImportSearchPath? searchPath)
    {
        if (name != Name)
        {
            return 0;
        }

        // The first looks where NuGet puts what is below runtimes/ of the package, and beside the program.
        if (!NativeLibrary.TryLoad(Name, assembly, searchPath, out nint library) && !NativeLibrary.TryLoad(Installed, out library))
        {
            throw new DllNotFoundException(
                $"The native library of Chargewire was not found: neither runtimes/{RuntimeInformation.RuntimeIdentifier}/native/libchargewire.so " +
                $"of the package, nor {Installed} of this system. The package has it for linux-x64 and linux-arm64 with glibc 2.34 and newer; " +
                "elsewhere install libchargewire0, or set LD_LIBRARY_PATH to where it is.");
        }

        var version = (delegate* unmanaged[Cdecl]<uint>)NativeLibrary.GetExport(library, "cwire_abi_version");
        uint found = version();
        return found >= NativeMethods.HeaderAbiVersion
            ? library
            : throw new DllNotFoundException(
                $"The native library of Chargewire that was found is too old: its ABI is {found}, and {NativeMethods.HeaderAbiVersion} is needed. " +
                "Update libchargewire0, or remove it so that the package's own is taken.");
    }
}
