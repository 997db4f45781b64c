#include <catch2/catch.hpp>
#include <string>

#include "config/options.h"
#include "starvation.h"
#include "trace/redaction.h"

using namespace cwire;

namespace {

Redacted shown(std::string_view payload, RedactionRules rules = {}) {
  return redact_message(payload, false, OwnSecrets(), rules);
}

// The secret is in the payload, and not in what is shown of it; with "***" in its place the rest is as it was.
void hides(std::string before, const std::string& secret, const std::string& behind) {
  CAPTURE(before, secret, behind);
  const Redacted redacted = shown(before + secret + behind);
  CHECK(redacted.withheld == nullptr);
  CHECK(redacted.changed);
  CHECK(redacted.text == before + "\"***\"" + behind);
}

}  // namespace

TEST_CASE("trace: what holds no secret is shown byte for byte") {
  for (
      const char* payload :
      {R"([2,"1","BootNotification",{"chargePointVendor":"Acme","chargePointModel":"One"}])", R"([3, "1", {}])",
       R"([4,"1","NotSupported","No such action",{}])", R"([ 2 ,"7","MeterValues",{"v":[1.50e+3,-0.0,true,null]}])",
       R"([2,"a","GetConfiguration",{"key":["AuthorizationKey","HeartbeatInterval"]}])",
       R"([2,"a","SetVariables",{"setVariableData":[{"attributeValue":"30","component":{"name":"OCPPCommCtrlr"},"variable":{"name":"HeartbeatInterval"}}]}])",
       R"([2,"a","StatusNotification",{"info":"Z\u00fcrich \/ \"x\"","timestamp":"2026-11-26T04:09:31Z"}])",
       R"([2,"a","StatusNotification",{"connectorId":1,"errorCode":"OtherError","info":"the pin is bent: no authorization"}])",
       R"([2,"a","MeterValues",{"connectorId":1,"meterValue":[{"timestamp":"2026-11-26T04:09:31Z","sampledValue":[{"value":"1.5","context":"Sample.Periodic","measurand":"Voltage","phase":"L1-N"}]}]}])",
       R"([2,"a","TransactionEvent",{"eventType":"Started","triggerReason":"Authorized","seqNo":0,"transactionInfo":{"transactionId":"t-1","remoteStartId":7},"meterValue":[{"sampledValue":[{"value":3.0,"signedMeterValue":{"signedMeterData":"AbC=","publicKey":"pQ=="}}]}],"customData":{"vendorId":"x","data":"1"}}])",
       R"([2,"a","TransactionEvent",{"idToken":{"idToken":"","type":"NoAuthorization"},"meterValue":[{"sampledValue":[{"value":1}]}]}])",
       R"([3,"a",{"configurationKey":[{"key":"AuthorizationCacheEnabled","readonly":false,"value":"true"},{"key":"SupportedTokenTypes","value":"2"}],"unknownKey":["FreevendIdTag","Pin"]}])",
       R"([2,"a","SendLocalList",{"listVersion":1,"localAuthorizationList":[],"updateType":"Full"}])",
       R"([4,"a","SecurityError","the authorization failed",{}])", "no JSON at all", ""}) {
    const Redacted redacted = shown(payload);
    CHECK(redacted.text == payload);
    CHECK_FALSE(redacted.changed);
  }
}

TEST_CASE("trace: the secrets of OCPP messages are hidden") {
  // 1.6
  hides(R"([2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":)", R"("0123456789abcdef")", "}]");
  hides(R"([2,"1","ChangeConfiguration",{"value":)", R"("0123456789abcdef")", R"(,"key":"authorizationkey"}])");
  hides(R"([3,"1",{"configurationKey":[{"key":"AuthorizationKey","readonly":false,"value":)", R"("s3cr3t")",
        R"(},{"key":"HeartbeatInterval","readonly":false,"value":"300"}]}])");
  // 2.x
  hides(R"([2,"1","SetVariables",{"setVariableData":[{"attributeValue":)", R"("DEADBEEF")",
        R"(,"component":{"name":"SecurityCtrlr"},"variable":{"name":"BasicAuthPassword"}}]}])");
  hides(
      R"([3,"1",{"getVariableResult":[{"variable":{"name":"BasicAuthPassword"},"component":{"name":"SecurityCtrlr"},"attributeValue":)",
      R"("DEADBEEF")", R"(,"attributeStatus":"Accepted"}]}])");
  hides(
      R"([2,"1","NotifyReport",{"reportData":[{"component":{"name":"SecurityCtrlr"},"variable":{"name":"BasicAuthPassword"},"variableAttribute":[{"type":"Actual","value":)",
      R"("DEADBEEF")", R"(,"mutability":"WriteOnly"}]}]}])");
  hides(R"([2,"1","SetNetworkProfile",{"connectionData":{"basicAuthPassword":)", R"("hunter2hunter2")", "}}]");
  hides(R"([2,"1","SetNetworkProfile",{"connectionData":{"apn":{"apn":"x","apnPassword":)", R"("hunter2")", "}}}]");
  hides(R"([2,"1","SetNetworkProfile",{"connectionData":{"apn":{"apn":"x","simPin":)", R"("1234")", "}}}]");
  hides(R"([2,"1","SetNetworkProfile",{"connectionData":{"vpn":{"server":"v","user":"u","password":)", R"("hunter2")",
        R"(,"type":"IKEv2"}}}])");
  hides(R"([2,"1","SetNetworkProfile",{"connectionData":{"vpn":{"server":"v","user":"u","key":)", R"("psk")", "}}}]");
  // Whatever the vendor calls it.
  hides(R"([2,"1","ChangeConfiguration",{"key":"AdminPassword","value":)", R"("hunter2")", "}]");
  hides(R"([2,"1","X",{"API_KEY":)", R"("hunter2")", "}]");
}

TEST_CASE("trace: a list of secrets is hidden as a whole, and JSON in a text is looked into") {
  CHECK(shown(R"({"client-secrets":["a","b"]})").text == R"({"client-secrets":"***"})");
  CHECK(shown(R"([2,"1","DataTransfer",{"vendorId":"x","data":"{\"password\":\"hunter2\"}"}])").text ==
        R"([2,"1","DataTransfer",{"vendorId":"x","data":"{\"password\":\"***\"}"}])");
  const char* harmless = R"({"data":"{\"a\": [1]}"})";
  CHECK(shown(harmless).text == harmless);
}

TEST_CASE("trace: a name of a secret is one whatever stands in it, and with its value beside it") {
  for (const char* name :
       {"WifiPassword2", "Wifi Password", "WiFi/Password", "headers[secret]", "PIN 1", "user.token"}) {
    CAPTURE(name);
    const std::string text = "{\"key\":\"" + std::string(name) + "\",\"value\":\"hunter2\"}";
    CHECK(shown(text).text.find("hunter2") == std::string::npos);
  }
  CHECK(shown(R"({"variable":{"name":"Apn1Password"},"attributeValue":"hunter2"})").text.find("hunter2") ==
        std::string::npos);
  // Long words are no names.
  CHECK(shown(R"({"status":")" + std::string(200, 'x') + R"(Pin","value":"1"})").changed == false);
}

TEST_CASE("trace: names that only end with a word for a secret") {
  for (const char* name : {"token", "refreshToken", "Token2", "tokens", "pwd", "psk", "WIFI_KEY", "proxyAuthorization",
                           "session-cookie", "cardPIN", "vpn.key"}) {
    CAPTURE(name);
    hides("{\"" + std::string(name) + "\":", "\"hunter2\"", ",\"a\":1}");
  }
  hides(R"([2,"1","SetVariables",{"setVariableData":[{"attributeValue":)", R"("hunter2")",
        R"(,"component":{"name":"NetworkConfiguration"},"variable":{"name":"VpnKey"}}]}])");
  hides(R"({"wifi":{"ssid":"x","key":)", R"("hunter2")", "}}");
  hides(R"({"vpn":[{"key":)", R"("hunter2")", "}]}");
  CHECK_FALSE(shown(R"({"tokenType":"a","pinned":"b","spinning":1,"cookiePolicy":"none"})").changed);
}

TEST_CASE("trace: a text that gives a secret its name is hidden") {
  hides(R"({"data":)", R"("Authorization: Basic Q1Ax")", "}");
  hides(R"({"headers":["Accept: x",)", R"("authorization:Bearer abc")", "]}");
  hides(R"({"data":)", R"("user=a&pin=1234")", "}");
  hides(R"({"data":)", R"("<token>abc</token>")", "}");
  hides(R"({"data":)", R"("token%3Dabc")", "}");
  hides(R"({"data":)", R"("{\"pin\":\"12")", "}");
  hides(R"({"data":)", R"("{\"p\\u0069n\":\"12")", "}");
  CHECK(shown(R"([NaN,{"pin":"1234"}])").withheld != nullptr);
  CHECK(shown(R"([NaN,{"authorization":"Basic Q1Ax"}])").withheld != nullptr);
  CHECK(shown("pin 7 is broken").withheld == nullptr);
  CHECK(redact_message(R"({"p\u0061ssword":"x"})", true, OwnSecrets(), {}).withheld != nullptr);
}

TEST_CASE("trace: what is hidden as a whole is so whatever is hidden within it") {
  CHECK(shown(R"({"password":"{\"idTag\":\"X\",\"inner\":\"s3cret\"}"})").text == R"({"password":"***"})");
  CHECK(shown(R"({"messageId":"SetCredentials","data":"{\"idTag\":\"X\",\"pw\":\"s3cret\"}"})").text ==
        R"({"messageId":"SetCredentials","data":"***"})");
  CHECK(shown(R"({"key":"AdminPassword","value":"x://a@b s3cret"})").text ==
        R"({"key":"AdminPassword","value":"***"})");
  CHECK(shown(R"({"password":[{"idTag":"X"},{"pin":1},"s3cret"]})").text == R"({"password":"***"})");
}

TEST_CASE("trace: a message that hides much costs no more than once what it holds") {
  std::string values;
  for (int i = 0; i < 20000; ++i) values += R"({"value":1},)";
  values.back() = ']';
  std::string message = values.insert(0, "[");
  constexpr int kDeep = 60;
  for (int i = 0; i < kDeep; ++i) message = R"({"key":"secret","x":)" + message + "}";
  fixture::take_largest_block();
  const Redacted redacted = shown(message);
  CHECK(fixture::take_largest_block() < 20 * message.size());
  CHECK(redacted.text.find("1") == std::string::npos);
}

TEST_CASE("trace: a number that is a secret becomes a text") {
  CHECK(shown(R"({"simPin":1234,"ok":true,"passwordSet":false})").text ==
        R"({"simPin":"***","ok":true,"passwordSet":false})");
}

TEST_CASE("trace: a name that is written with escapes is read all the same") {
  CHECK(shown(R"({"p\u0061ssword":"x"})").text == R"({"p\u0061ssword":"***"})");
  CHECK(shown(R"({"key":"Authoriz\u0061tionKey","value":"x"})").text ==
        R"({"key":"Authoriz\u0061tionKey","value":"***"})");
  CHECK(shown(R"({"p\u0061ssword":"x")").withheld != nullptr);  // no JSON
}

TEST_CASE("trace: a private key is hidden wherever it stands") {
  const std::string key = R"("-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----")";
  CHECK(shown("[2,\"1\",\"X\",{\"anything\":" + key + "}]").text == R"([2,"1","X",{"anything":"***"}])");
  CHECK(shown(R"({"csr":"-----BEGIN CERTIFICATE REQUEST-----\nMIIB"})").changed == false);
}

TEST_CASE("trace: of URLs user, password and query are hidden") {
  CHECK(shown(R"({"location":"ftp://user:pw@host:21/dir/file.bin"})").text ==
        R"({"location":"ftp://***@host:21/dir/file.bin"})");
  CHECK(shown(R"({"location":"https:\/\/user:pw@host\/x"})").text == R"({"location":"https://***@host/x"})");
  CHECK(shown(R"({"location":"https://host/fw.bin?X-Amz-Signature=abc#part"})").text ==
        R"({"location":"https://host/fw.bin?***#part"})");
  CHECK(shown("see https://u:p@h/ and http://h/?a=b now").text == "see https://***@h/ and http://h/?*** now");
  CHECK_FALSE(shown(R"({"location":"https://host/a@b/c"})").changed);
  // A password that should have been written with %.
  CHECK(shown(R"({"location":"ftp://user:p#ss/word@host/x"})").text == R"({"location":"ftp://***"})");
  CHECK(shown(R"({"location":"ftp://user:pa?ss@host"})").text == R"({"location":"ftp://***"})");
  CHECK(shown("http://h:9/?ticket=a@hunter2 now").text == "http://*** now");
  CHECK(shown(R"({"location":"ftp://user:p'a<s\"s@host"})").text == R"({"location":"ftp://***@host"})");
  CHECK(shown("http://a/,ftp://u:p@b/?c#,x://d?e=f").text == "http://***");
  CHECK_FALSE(shown("http://h/?#a@b :// ://").changed);
  // Binary ones are shown as a whole or not at all.
  CHECK(redact_message("ftp://user:pw@host", true, OwnSecrets(), {}).withheld != nullptr);
  CHECK(redact_message("ftp://host", true, OwnSecrets(), {}).withheld == nullptr);
}

TEST_CASE("trace: idTags and idTokens are shown only where that is allowed") {
  const std::string old = R"([2,"1","Authorize",{"idTag":"04A2B3C4"}])";
  CHECK(shown(old).text == R"([2,"1","Authorize",{"idTag":"***"}])");
  CHECK(shown(old, {true}).text == old);
  CHECK(shown(R"({"idTagInfo":{"parentIdTag":"04A2","status":"Accepted"}})").text ==
        R"({"idTagInfo":{"parentIdTag":"***","status":"Accepted"}})");
  CHECK(
      shown(
          R"({"idToken":{"idToken":"04A2","type":"ISO14443","additionalInfo":[{"additionalIdToken":"7","type":"x"}]},"groupIdToken":{"idToken":"9","type":"Central"}})")
          .text ==
      R"({"idToken":{"idToken":"***","type":"ISO14443","additionalInfo":[{"additionalIdToken":"***","type":"x"}]},"groupIdToken":{"idToken":"***","type":"Central"}})");
  CHECK(shown(R"({"idTag":12345,"idTags":["04A2",7],"idToken":""})").text ==
        R"({"idTag":"***","idTags":["***","***"],"idToken":""})");
  CHECK(shown(R"({"data":"idTag=04A2"})").text == R"({"data":"***"})");
  CHECK(shown(R"({"data":" {\"idTag\":\"04A2\"}"})").text == R"({"data":" {\"idTag\":\"***\"}"})");
  for (const char* payload : {R"({"key":"FreevendIdTag","value":"04A2"})", R"({"data":"idTag=04A2"})",
                              R"({"idTag":12345,"data":" {\"idTag\":\"04A2\"}"})"}) {
    CHECK(shown(payload).text.find("04A2") == std::string::npos);
    CHECK(shown(payload, {true}).text == payload);
  }
  CHECK(shown(R"({"idToken":"04A2","token":"x"})", {true}).text == R"({"idToken":"04A2","token":"***"})");
  CHECK(shown(R"(idTag: 04A2)").withheld != nullptr);
  CHECK(shown(R"(idTag: 04A2)", {true}).withheld == nullptr);
}

TEST_CASE("trace: what cannot be read and may hold a secret is withheld as a whole") {
  for (const char* payload : {R"([2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"0123)",
                              "password=hunter2", R"({"a":1}{"password":"x"})", "PRIVATE KEY", "[1,2,api_key]"}) {
    CAPTURE(payload);
    CHECK(shown(payload).withheld != nullptr);
    CHECK(shown(payload).text.empty());
  }
  // Deeper than anybody nests.
  const std::string deep(100, '[');
  CHECK(shown(deep + R"({"password":"x"})" + std::string(100, ']')).withheld != nullptr);
  CHECK(shown(deep + std::string(100, ']')).withheld == nullptr);
  // A binary one cannot be shown in part.
  CHECK(redact_message(R"({"password":"x"})", true, OwnSecrets(), {}).withheld != nullptr);
  CHECK(redact_message(std::string("\0\xff", 2), true, OwnSecrets(), {}).text == std::string("\0\xff", 2));
}

TEST_CASE("trace: what the station must keep to itself is hidden where the peer repeats it") {
  Settings settings = default_settings();
  settings.auth.type = AuthType::basic;
  settings.auth.password = Secret("correct horse");
  settings.headers = {{"X-Key", "a header's value"}};
  const OwnSecrets own(settings, nullptr, "CP1", "/ocpp/CP1?token=abcdefgh");
  CHECK(redact_message(R"({"said":"correct horse","a":1})", false, own, {}).text == R"({"said":"***","a":1})");
  CHECK(redact_message(R"({"said":"correct\u0020horse"})", false, own, {}).text == R"({"said":"***"})");
  CHECK(redact_message("you said correct horse", false, own, {}).withheld != nullptr);
  CHECK(redact_message(R"({"correct horse":1})", false, own, {}).withheld != nullptr);
  CHECK(redact_message("a header's value", false, own, {}).withheld != nullptr);
  CHECK(redact_message("abcdefgh", false, own, {}).withheld != nullptr);
  CHECK(redact_message("Q1AxOmNvcnJlY3QgaG9yc2U=", false, own, {}).withheld != nullptr);  // base64 of CP1 and it
  CHECK(redact_message("correct", false, own, {}).withheld == nullptr);
  CHECK(redact_header("X-Echo: correct horse", false, own) == "X-Echo: ***");
  CHECK(redact_header("correct horse", false, own) == "***");
}

TEST_CASE("trace: headers that carry credentials are hidden") {
  const OwnSecrets none;
  CHECK(redact_header("Authorization: Basic Q1Ax", false, none) == "Authorization: ***");
  CHECK(redact_header("proxy-authorization:Basic Q1Ax", false, none) == "proxy-authorization: ***");
  CHECK(redact_header("Set-Cookie: a=b", false, none) == "Set-Cookie: ***");
  CHECK(redact_header("X-Api-Key: a", false, none) == "X-Api-Key: ***");
  CHECK(redact_header("X-Auth-Token: a", false, none) == "X-Auth-Token: ***");
  CHECK(redact_header("X-Ours: a", true, none) == "X-Ours: ***");
  CHECK(redact_header("X-Debug: authorization=Q1Ax", false, none) == "X-Debug: ***");
  CHECK(redact_header("X-Wifi-Psk: a", false, none) == "X-Wifi-Psk: ***");
  CHECK(redact_header("WWW-Authenticate: Bearer error=\"invalid_request\"", false, none) ==
        "WWW-Authenticate: Bearer error=\"invalid_request\"");
  CHECK(redact_header("HTTP/1.1 401 password=hunter2", false, none) == "HTTP/1.1 401 ***");
  CHECK(redact_header("hunter2 is the password", false, none) == "***");
  CHECK(redact_header("Sec-WebSocket-Key: abc==", false, none) == "Sec-WebSocket-Key: abc==");
  CHECK(redact_header("Location: /login?ticket=1", false, none) == "Location: /login?***");
  CHECK(redact_header("Location: https://u:p@h/x", false, none) == "Location: https://***@h/x");
  CHECK(redact_header("HTTP/1.1 302 see https://u:p@h/x?t=1", false, none) == "HTTP/1.1 302 see https://***@h/x?***");
  CHECK(redact_header("HTTP/1.1 101 Switching Protocols", false, none) == "HTTP/1.1 101 Switching Protocols");
}
