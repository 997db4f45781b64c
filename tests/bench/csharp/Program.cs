// What raw_client does, by .NET: --by chargewire, or --by clientwebsocket, System.Net.WebSockets' own. The rest is as in measurement.h.
using Bench;

Arguments arguments = Arguments.Parse(args);
Result result = arguments.Client == "chargewire" ? await new ChargewireClient(arguments).RunAsync() : await new ClientWebSocketClient(arguments).RunAsync();
result.Print();
Environment.Exit(0);
