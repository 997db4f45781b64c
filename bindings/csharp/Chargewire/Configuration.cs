using System.Globalization;
using System.Text;
using Chargewire.Interop;

namespace Chargewire;

/// <summary>Options by their dotted keys: what the library takes. Only what was set counts.</summary>
internal sealed unsafe class Configuration : IDisposable
{
    private Configuration()
    {
        ChargewireException.Check(NativeMethods.ConfigNew(out ConfigHandle handle), "A new configuration");
        Handle = handle;
    }

    internal ConfigHandle Handle { get; }

    public void Dispose() => Handle.Dispose();

    internal static Configuration? From(StationOptions? options)
    {
        if (options is null)
        {
            return null;
        }

        var config = new Configuration();
        try
        {
            options.Apply(config);
            return config;
        }
        catch
        {
            config.Dispose();
            throw;
        }
    }

    internal void LoadFile(string path)
    {
        NativeError error = NewError();
        ChargewireException.Check(NativeMethods.ConfigLoadFile(Handle, Text.Checked(path, nameof(path)), &error), path, &error);
    }

    internal void LoadYaml(string yaml)
    {
        NativeError error = NewError();
        byte[] utf8 = Encoding.UTF8.GetBytes(yaml);
        fixed (byte* text = utf8)
        {
            byte nothing;
            ChargewireException.Check(
                NativeMethods.ConfigLoadYaml(Handle, text == null ? &nothing : text, (nuint)utf8.Length, &error), "YAML", &error);
        }
    }

    internal void Set(string key, string value)
    {
        NativeError error = NewError();
        ChargewireException.Check(NativeMethods.ConfigSet(Handle, Text.Checked(key, nameof(key)), Text.Checked(value, key), &error), key, &error);
    }

    internal string Get(string key)
    {
        Span<byte> buffer = stackalloc byte[256];
        fixed (byte* data = buffer)
        {
            nuint needed;
            ChargewireException.Check(NativeMethods.ConfigGet(Handle, key, data, (nuint)buffer.Length, &needed), key);
            return Text.From(data);
        }
    }

    internal static NativeError NewError() => new() { Size = (nuint)sizeof(NativeError) };

    internal void Set(string key, bool value) => Set(key, value ? "true" : "false");

    internal void Set(string key, long value) => Set(key, value.ToString(CultureInfo.InvariantCulture));

    internal void Set(string key, double value) => Set(key, Text.Option(value));

    internal void Set(string key, TimeSpan value) => Set(key, Text.Option(value));
}
