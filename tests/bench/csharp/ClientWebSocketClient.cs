using System.Globalization;
using System.Net.WebSockets;
using System.Security.Cryptography.X509Certificates;

namespace Bench;

/// <summary>A ClientWebSocket and a loop per station, which reads an answer and sends the next message.</summary>
internal sealed class ClientWebSocketClient(Arguments arguments)
{
    // Connections that are being made at the same time.
    private const int Dials = 64;

    internal async Task<Result> RunAsync()
    {
        var stations = new ClientWebSocket[arguments.Stations];
        X509Certificate2Collection? trusted = null;
        if (arguments.Ca is not null)
        {
            trusted = [];
            trusted.ImportFromPemFile(arguments.Ca);
        }

        var result = new Result(arguments);
        await Parallel.ForEachAsync(Enumerable.Range(0, stations.Length), new ParallelOptions { MaxDegreeOfParallelism = Dials }, async (i, cancellation) =>
        {
            var station = new ClientWebSocket();
            station.Options.AddSubProtocol("ocpp1.6");
            if (trusted is not null)
            {
                station.Options.RemoteCertificateValidationCallback = (_, certificate, _, _) => Trusts(trusted, certificate!);
            }

            await station.ConnectAsync(new Uri(string.Create(CultureInfo.InvariantCulture, $"{arguments.Url}/CP{i}")), cancellation);
            stations[i] = station;
        });
        result.Connected();
        if (arguments.Messages > 0)
        {
            byte[] payload = arguments.Payload();
            await Task.WhenAll(stations.Select(station => Task.Run(() => ExchangeAsync(station, payload, result.Latency))));
        }

        return result;
    }

    private static bool Trusts(X509Certificate2Collection trusted, X509Certificate certificate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(trusted);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build((X509Certificate2)certificate);
    }

    private async Task ExchangeAsync(ClientWebSocket station, byte[] payload, Histogram latency)
    {
        var times = new SendTimes(arguments.InFlight);
        int sent = 0;
        while (sent < arguments.FirstBurst)
        {
            await SendAsync();
        }

        byte[] buffer = new byte[4096];
        for (int answered = 0; answered < arguments.Messages; ++answered)
        {
            while (!(await station.ReceiveAsync(buffer.AsMemory(), CancellationToken.None)).EndOfMessage)
            {
            }

            latency.Record(times.AnsweredNanoseconds());
            if (sent < arguments.Messages)
            {
                await SendAsync();
            }
        }

        ValueTask SendAsync()
        {
            ++sent;
            times.Sent();
            return station.SendAsync(payload.AsMemory(), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
        }
    }
}
