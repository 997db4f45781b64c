// One station: connects, says that it booted, prints what it receives, and comes back by itself when the CSMS goes away.
//
//     OneStation [URL [STATION_ID]]        until Ctrl+C

using System.Runtime.InteropServices;
using Chargewire;

const string boot = """[2,"1","BootNotification",{"chargePointVendor":"Acme","chargePointModel":"One"}]""";

using var stop = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

await using var manager = new ChargewireManager();
manager.Connect(args.ElementAtOrDefault(1) ?? "CP001", args.ElementAtOrDefault(0) ?? "ws://localhost:9000");

try
{
    await foreach (StationEvent happened in manager.ReadEventsAsync(stop.Token))
    {
        switch (happened.Type)
        {
            case StationEventType.Connected when !happened.IsReconnect:
                happened.Station.Send(boot);
                break;
            case StationEventType.Message:
                Console.WriteLine($"{happened.StationId}: {happened.Text}");
                break;
            case StationEventType.Error or StationEventType.Disconnected:
                Console.WriteLine(happened.Text); // names the station and says why, and what follows
                break;
        }
    }
}
catch (OperationCanceledException)
{
    // An orderly end: what is queued is sent, and the connection closed.
    Task shutdown = manager.ShutdownAsync(TimeSpan.FromSeconds(5));
    await foreach (StationEvent happened in manager.ReadEventsAsync())
    {
        if (happened.Type == StationEventType.Closed)
        {
            Console.WriteLine(happened.Text);
        }
    }

    await shutdown;
}

void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stop.Cancel();
}
