using System.Reflection;
using System.Runtime.InteropServices;
using Chargewire.Interop;
using Xunit;

namespace Chargewire.Tests;

/// <summary>The declarations are what the header says, and the library has what they name.</summary>
public class AbiTests
{
    private const BindingFlags Members = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;

    [Fact]
    public void Every_function_is_exported_and_declared()
    {
        nint library = NativeLibraryLoader.Resolve(NativeLibraryLoader.Name, typeof(NativeMethods).Assembly, null);
        string?[] declared = [.. typeof(NativeMethods).GetMethods(Members).Select(method => method.GetCustomAttribute<LibraryImportAttribute>()?.EntryPoint)];
        Assert.NotEmpty(HeaderLayout.Functions);
        foreach (string function in HeaderLayout.Functions)
        {
            Assert.True(NativeLibrary.TryGetExport(library, function, out _), $"the library has no {function}");
            Assert.Contains(function, declared);
        }
    }

    [Fact]
    public void Every_structure_has_the_size_and_the_offsets_of_the_header()
    {
        Assert.NotEmpty(HeaderLayout.Structs);
        foreach ((Type type, int size, (string Field, int Offset, int Size)[] fields) in HeaderLayout.Structs)
        {
            Assert.Equal(size, SizeOf(type));
            Assert.Equal(fields.Length, type.GetFields(Members).Length);
            foreach ((string field, int offset, int fieldSize) in fields)
            {
                FieldInfo declared = type.GetField(field, Members)!;
                Assert.Equal((field, offset, fieldSize), (field, (int)Marshal.OffsetOf(type, field), SizeOf(declared.FieldType)));
            }
        }
    }

    [Fact]
    public void Every_number_is_that_of_the_header()
    {
        Assert.NotEmpty(HeaderLayout.Constants);
        foreach ((Type type, string name, long value) in HeaderLayout.Constants)
        {
            Assert.Equal((name, value), (name, Convert.ToInt64(Enum.Parse(type, name), null)));
        }
    }

    private static int SizeOf(Type type) =>
        type.IsPointer ? nint.Size : (int)typeof(System.Runtime.CompilerServices.Unsafe).GetMethod("SizeOf")!.MakeGenericMethod(type).Invoke(null, null)!;
}
