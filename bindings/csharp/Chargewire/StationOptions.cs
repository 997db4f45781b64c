namespace Chargewire;

public partial class StationOptions
{
    /// <summary>
    /// Options by their dotted keys, <c>csms.ping_interval</c>: what a newer library has and this version of the package does not know. They go
    /// before the others.
    /// </summary>
    public IDictionary<string, string>? Additional { get; set; }

    internal virtual void Apply(Configuration config)
    {
        ApplyStation(config);
        foreach ((string key, string value) in Additional ?? (IEnumerable<KeyValuePair<string, string>>)[])
        {
            config.Set(key, value);
        }
    }
}

public sealed partial class ChargewireOptions
{
    /// <summary>
    /// A YAML file of options, which is read first: what is set here goes before it. It may have <c>stations:</c> for
    /// <see cref="ChargewireManager.ConnectAll"/>. <c>${NAME}</c> in it is replaced by the environment variable NAME.
    /// </summary>
    public string? YamlFile { get; set; }

    /// <summary>The same as text.</summary>
    public string? Yaml { get; set; }

    internal override void Apply(Configuration config)
    {
        if (YamlFile is not null)
        {
            config.LoadFile(YamlFile);
        }

        if (Yaml is not null)
        {
            config.LoadYaml(Yaml);
        }

        ApplyManager(config);
        base.Apply(config);
    }
}
