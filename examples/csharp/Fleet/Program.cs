// A fleet: 1,000 stations that boot and send Heartbeats, with statistics each second and of all at the end.
//
//     Fleet [URL [STATIONS [SECONDS]]]     default ws://localhost:9000, 1,000 stations, 10 seconds

using System.Globalization;
using Chargewire;

string url = args.ElementAtOrDefault(0) ?? "ws://localhost:9000";
int count = int.Parse(args.ElementAtOrDefault(1) ?? "1000", CultureInfo.InvariantCulture);
int seconds = int.Parse(args.ElementAtOrDefault(2) ?? "10", CultureInfo.InvariantCulture);

await using var manager = new ChargewireManager(new ChargewireOptions { DefaultUrl = url, PingInterval = TimeSpan.FromMinutes(1) });
long answers = 0;
Task reading = ReadEventsAsync();

for (int i = 1; i <= count; ++i)
{
    manager.Connect(string.Create(CultureInfo.InvariantCulture, $"CP{i:D4}"));
}

using (var timer = new PeriodicTimer(TimeSpan.FromSeconds(1)))
{
    for (int second = 1; second <= seconds && await timer.WaitForNextTickAsync(); ++second)
    {
        // One call to all that are connected. Each has an id of its own, here the second.
        int beating = manager.Broadcast($$"""[2,"{{second}}","Heartbeat",{}]""");
        Console.WriteLine($"{second} s: {manager.ConnectedCount} of {manager.StationCount} connected, {beating} Heartbeats, {Volatile.Read(ref answers)} answers");
    }
}

IReadOnlyList<StationStatistics> statistics = manager.GetStatistics();
Console.WriteLine(
    $"{statistics.Sum(station => station.MessagesSent)} messages sent, {statistics.Sum(station => station.MessagesReceived)} received, " +
    $"{statistics.Sum(station => station.ReconnectAttempts)} reconnect attempts, {statistics.Count(station => station.LastError != ChargewireStatus.Ok)} stations had errors");
foreach (EndpointStatus endpoint in manager.GetEndpoints())
{
    Console.WriteLine($"{endpoint.Name}: circuit breaker {endpoint.Breaker}, {endpoint.HandshakesLimit} handshakes at a time");
}

await manager.ShutdownAsync(TimeSpan.FromSeconds(5));
await reading;

async Task ReadEventsAsync()
{
    const string boot = """[2,"boot","BootNotification",{"chargePointVendor":"Acme","chargePointModel":"One"}]""";
    await foreach (StationEvent happened in manager.ReadEventsAsync())
    {
        switch (happened.Type)
        {
            case StationEventType.Connected when !happened.IsReconnect:
                happened.Station.Send(boot);
                break;
            case StationEventType.Message:
                Interlocked.Increment(ref answers);
                break;
            case StationEventType.Error or StationEventType.Disconnected when happened.Status != ChargewireStatus.Ok:
                Console.WriteLine(happened.Text);
                break;
            case StationEventType.Endpoint:
                Console.WriteLine(happened.Text);
                break;
        }
    }
}
