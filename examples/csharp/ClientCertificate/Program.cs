// TLS with a client certificate, OCPP's security profile 3: connects, exchanges one Heartbeat, closes.
//
//     ClientCertificate wss://HOST[:PORT][/PATH] STATION_ID CA.pem CERTIFICATE.pem KEY.pem
//
// Whatever is wrong with a certificate, on either side, is told in one line. The password of an encrypted key is taken from the environment
// variable KEY_PASSWORD.

using Chargewire;

if (args.Length != 5)
{
    Console.Error.WriteLine("usage: ClientCertificate wss://HOST[:PORT][/PATH] STATION_ID CA.pem CERTIFICATE.pem KEY.pem");
    return 2;
}

var options = new StationOptions
{
    SecurityProfile = SecurityProfile.Profile3, // what contradicts it, ws:// for one, is refused
    TlsCaCert = args[2],
    TlsClientCert = args[3],
    TlsClientKey = args[4],
    TlsClientKeyPassword = Environment.GetEnvironmentVariable("KEY_PASSWORD"),
};

await using var manager = new ChargewireManager();
try
{
    // The files are read and checked at once: a mistake in them is told here.
    Station station = manager.Connect(args[1], args[0], options);
    await station.WaitUntilConnectedAsync(TimeSpan.FromSeconds(10)); // else says why the last attempt failed
    station.Send("""[2,"heartbeat-1","Heartbeat",{}]""");
    await foreach (StationEvent happened in manager.ReadEventsAsync())
    {
        if (happened.Type == StationEventType.Message)
        {
            Console.WriteLine(happened.Text);
            _ = station.DisconnectAsync();
        }

        if (happened.Type == StationEventType.Closed)
        {
            Console.WriteLine(happened.Text);
            return 0;
        }
    }

    return 1;
}
catch (ChargewireException refused)
{
    Console.Error.WriteLine(refused.Message);
    return 1;
}
