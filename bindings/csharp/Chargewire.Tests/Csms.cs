using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Chargewire.Tests;

/// <summary>The CSMS of the examples, in a process of its own, on a port that was free.</summary>
public sealed class Csms : IDisposable
{
    private const string Listening = "listening on ";
    private readonly Process _process;

    public Csms(params string[] options)
    {
        string program = Environment.GetEnvironmentVariable("CHARGEWIRE_CSMS") ?? throw new InvalidOperationException("CHARGEWIRE_CSMS must name chargewire-csms");
        _process = Process.Start(new ProcessStartInfo(program, ["--stdin", .. options]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        string said = _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("chargewire-csms did not start");
        Url = said[Listening.Length..];
    }

    /// <summary>Where nobody listens.</summary>
    public static string Nobody
    {
        get
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            return $"ws://{socket.LocalEndPoint}";
        }
    }

    public string Url { get; }

    /// <summary>Gives a command, and waits until it was carried out.</summary>
    public void Tell(string command)
    {
        _process.StandardInput.WriteLine(command);
        _process.StandardInput.Flush();
        _process.StandardOutput.ReadLine();
    }

    /// <summary>Stops the process where it is, so that it reads nothing, or lets it go on.</summary>
    public void Signal(string name)
    {
        using Process kill = Process.Start("kill", [$"-{name}", $"{_process.Id}"])!;
        kill.WaitForExit();
    }

    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    public void Dispose()
    {
        Kill();
        _process.Dispose();
    }
}
