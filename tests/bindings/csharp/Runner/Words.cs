using System.Text;
using Chargewire;

namespace Runner;

/// <summary>What all languages call things.</summary>
internal static class Words
{
    internal static string Of(ChargewireStatus status) =>
        status == ChargewireStatus.Ok ? "CWIRE_OK" : "CWIRE_E_" + Snake(status.ToString()).ToUpperInvariant();

    internal static string Of(StationState state) => Snake(state.ToString());

    /// <summary>Empty for what is not noted.</summary>
    internal static string Of(in StationEvent happened) => happened.Type switch
    {
        StationEventType.Connected => $"CONNECTED {happened.Text}{If(happened.IsReconnect, " reconnect")}",
        StationEventType.Message => $"MESSAGE {happened.Text}",
        StationEventType.Sent => $"SENT {happened.Tag} {Of(happened.Status)}",
        StationEventType.Writable => "WRITABLE",
        StationEventType.Disconnected =>
            $"DISCONNECTED {Of(happened.Status)} {happened.Code}{If(happened.IsRemote, " remote")}{If(happened.WillRetry, " will_retry")}",
        StationEventType.Error =>
            $"ERROR {Of(happened.Status)} {Snake(happened.Failure!.Phase.ToString())} {happened.Code}{If(happened.WillRetry, " will_retry")}",
        StationEventType.Closed => $"CLOSED {Of(happened.Status)} {happened.Code}",
        _ => "",
    };

    private static string If(bool condition, string text) => condition ? text : "";

    private static string Snake(string pascal)
    {
        var snake = new StringBuilder();
        foreach (char letter in pascal)
        {
            if (char.IsUpper(letter) && snake.Length > 0)
            {
                snake.Append('_');
            }

            snake.Append(char.ToLowerInvariant(letter));
        }

        return snake.ToString();
    }
}
