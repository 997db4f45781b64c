using System.Globalization;
using Chargewire;

namespace Bench;

/// <summary>One loop over the events of all stations, which answers each message by the next.</summary>
internal sealed class ChargewireClient(Arguments arguments)
{
    private sealed class Exchange(int inFlight)
    {
        internal SendTimes Times { get; } = new(inFlight);

        internal int ToSend { get; set; }
    }

    internal async Task<Result> RunAsync()
    {
        long queued = arguments.InFlight + 1;
        // Not disposed of: closing is not measured.
        var manager = new ChargewireManager(new ChargewireOptions
        {
            IoThreads = 1,
            SendQueueMessages = (int)queued,
            SendQueueBytes = (queued * (arguments.Size + 1)) + 65536,
            TlsCaCert = arguments.Ca,
        });
        var result = new Result(arguments);
        var connected = new TaskCompletionSource();
        var answered = new TaskCompletionSource();
        byte[] payload = arguments.Payload();
        _ = Task.Run(ReadEventsAsync);

        string url = arguments.Url.ToString();
        Station[] stations = [.. Enumerable.Range(0, arguments.Stations).Select(i => manager.Connect(
            string.Create(CultureInfo.InvariantCulture, $"CP{i}"), url, userState: new Exchange(arguments.InFlight)))];
        await connected.Task;
        result.Connected();
        if (arguments.Messages > 0)
        {
            foreach (Station station in stations)
            {
                var exchange = (Exchange)station.UserState!;
                exchange.ToSend = arguments.Messages - arguments.FirstBurst;
                for (int i = 0; i < arguments.FirstBurst; ++i)
                {
                    exchange.Times.Sent();
                }

                for (int i = 0; i < arguments.FirstBurst; ++i)
                {
                    station.Send(payload);
                }
            }

            await answered.Task;
        }

        return result;

        async Task ReadEventsAsync()
        {
            int connections = 0;
            long answers = 0;
            await foreach (StationEvent happened in manager.ReadEventsAsync())
            {
                switch (happened.Type)
                {
                    case StationEventType.Message:
                        var exchange = (Exchange)happened.Station.UserState!;
                        result.Latency.Record(exchange.Times.AnsweredNanoseconds());
                        if (exchange.ToSend > 0)
                        {
                            --exchange.ToSend;
                            exchange.Times.Sent();
                            happened.Station.Send(payload);
                        }

                        if (++answers == arguments.RoundTrips)
                        {
                            answered.SetResult();
                        }

                        break;
                    case StationEventType.Connected:
                        if (++connections == arguments.Stations)
                        {
                            connected.SetResult();
                        }

                        break;
                    case StationEventType.Error or StationEventType.Disconnected:
                        await Console.Error.WriteLineAsync(happened.Text);
                        break;
                }
            }
        }
    }
}
