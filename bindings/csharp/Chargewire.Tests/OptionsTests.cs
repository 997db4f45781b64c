using System.Reflection;
using System.Text;
using Chargewire.Interop;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace Chargewire.Tests;

public class OptionsTests
{
    [Fact]
    public void A_section_of_a_configuration_binds_to_them()
    {
        const string json = """
            { "Chargewire": {
                "DefaultUrl": "wss://csms.example/ocpp", "IoThreads": 2, "LogLevel": "Info", "PingInterval": "00:01:30", "ReconnectJitter": 0.25,
                "ReconnectPolicy": "Ocpp", "Protocol": [ "Ocpp201", "Ocpp16" ], "Headers": { "X-Site": "Rotterdam" }, "MessageSizeMax": 65536,
                "SecurityProfile": "Profile2", "TlsMinVersion": "Tls13", "GovernorEnabled": false, "Additional": { "csms.redirects_max": "3" } } }
            """;
        IConfiguration configuration = new ConfigurationBuilder().AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(json))).Build();
        ChargewireOptions options = configuration.GetSection("Chargewire").Get<ChargewireOptions>()!;
        using Configuration native = Configuration.From(options)!;
        string[] keys =
        [
            "csms.default_url", "io_threads", "log_level", "csms.ping_interval", "csms.reconnect_jitter", "csms.reconnect_policy", "csms.protocol",
            "csms.message_size_max", "csms.security_profile", "csms.tls.min_version", "governor.enabled", "csms.redirects_max",
        ];
        Assert.Equal(
            ["wss://csms.example/ocpp", "2", "info", "90s", "25%", "ocpp", "2.0.1, 1.6", "64KiB", "2", "1.3", "false", "3"],
            keys.Select(native.Get));
    }

    [Fact]
    public void Each_is_taken_by_the_library()
    {
        foreach (PropertyInfo property in typeof(ChargewireOptions).GetProperties().Where(property => !property.Name.StartsWith("Yaml", StringComparison.Ordinal)))
        {
            var options = new ChargewireOptions();
            property.SetValue(options, Some(Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType, property.Name));
            using Configuration native = Configuration.From(options)!;
        }
    }

    [Fact]
    public void What_is_wrong_is_named()
    {
        var wrong = Assert.Throws<ChargewireException>(() => Configuration.From(new StationOptions { PongTimeout = TimeSpan.FromSeconds(-1) }));
        Assert.Equal(ChargewireStatus.Config, wrong.Status);
        Assert.Contains("csms.pong_timeout", wrong.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => Configuration.From(new StationOptions { Priority = (StationPriority)9 }));
        Assert.Throws<ArgumentException>(() => Configuration.From(new StationOptions { AuthUsername = "a\0b" }));
    }

    [Fact]
    public void What_is_less_than_a_millisecond_is_rounded_up() => Assert.Equal("1ms", Text.Option(TimeSpan.FromMicroseconds(1)));

    [Fact]
    public void The_version_of_the_package_is_that_of_the_library() =>
        Assert.Equal(typeof(ChargewireManager).Assembly.GetName().Version!.ToString(3), ChargewireManager.LibraryVersion);

    private static object Some(Type type, string name) => type switch
    {
        _ when type == typeof(bool) => true,
        _ when type == typeof(int) => name.EndsWith("WindowBits", StringComparison.Ordinal) ? 9 : 5,
        _ when type == typeof(long) => 65536L,
        _ when type == typeof(double) => 0.5,
        _ when type == typeof(TimeSpan) => TimeSpan.FromSeconds(2),
        _ when type.IsEnum => Enum.GetValues(type).GetValue(1)!,
        _ when type == typeof(IList<OcppVersion>) => new[] { OcppVersion.Ocpp21 },
        _ when name == "Additional" => new Dictionary<string, string> { ["csms.ping_interval"] = "5s" },
        _ when type == typeof(IDictionary<string, string>) => new Dictionary<string, string> { ["X-Site"] = "Rotterdam" },
        _ when name.EndsWith("Url", StringComparison.Ordinal) => name == "ProxyUrl" ? "http://proxy.example:3128" : "wss://csms.example",
        _ when name.EndsWith("Address", StringComparison.Ordinal) => "192.0.2.1",
        _ when name == "MetricsListen" => "[::1]:9464",
        _ when name.EndsWith("Pem", StringComparison.Ordinal) => "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
        _ when name.EndsWith("Uri", StringComparison.Ordinal) => "pkcs11:object=key",
        _ => "text",
    };
}
