// ocpp-rpc as a CSMS in strict mode: calls and answers of stations that do not fit the JSON schemas of the Open Charge Alliance are refused. Sends each
// station, once, every call that it has an answer for. Writes its port first, then a line for each thing of note: that an action was answered for the
// first time, that a station was told all, and what went wrong. Ends with its standard input.
'use strict';

const { RPCServer, createValidator } = require('ocpp-rpc');
const schemas21 = require('ocpp-rpc/lib/schemas/ocpp2_1.json');

// In the package those of 2.1 are named otherwise than it looks for them.
const named = (schema) => ({ ...schema, $id: schema.$id.replace(/Request$/, '.req').replace(/Response$/, '.conf') });

const variable = (name) => ({ component: { name: 'OCPPCommCtrlr' }, variable: { name } });
const calls2 = [
  ['GetVariables', { getVariableData: [variable('HeartbeatInterval'), variable('Nonsense')] }],
  ['SetVariables', { setVariableData: [{ attributeValue: '60', ...variable('HeartbeatInterval') }, { attributeValue: '1', ...variable('Nonsense') }] }],
  ['TriggerMessage', { requestedMessage: 'StatusNotification', evse: { id: 1 } }],
  ['ClearCache', {}],
  ['ChangeAvailability', { operationalStatus: 'Operative' }],
  ['UnlockConnector', { evseId: 1, connectorId: 1 }],
  ['GetLocalListVersion', {}],
  ['DataTransfer', { vendorId: 'x' }],
  ['RequestStartTransaction', { remoteStartId: 1, idToken: { idToken: 'x', type: 'ISO14443' } }],
  ['RequestStopTransaction', { transactionId: '1-1' }],
  ['GetBaseReport', { requestId: 1, reportBase: 'FullInventory' }],
  ['GetTransactionStatus', {}],
  ['Reset', { type: 'Immediate' }],
];
const calls = {
  'ocpp1.6': [
    ['GetConfiguration', {}],
    ['GetConfiguration', { key: ['HeartbeatInterval', 'Nonsense'] }],
    ['ChangeConfiguration', { key: 'HeartbeatInterval', value: '60' }],
    ['TriggerMessage', { requestedMessage: 'Heartbeat' }],
    ['ClearCache', {}],
    ['ChangeAvailability', { connectorId: 1, type: 'Operative' }],
    ['UnlockConnector', { connectorId: 1 }],
    ['GetLocalListVersion', {}],
    ['DataTransfer', { vendorId: 'x' }],
    ['RemoteStartTransaction', { idTag: 'x' }],
    ['RemoteStopTransaction', { transactionId: 7 }],
    ['Reset', { type: 'Soft' }],
  ],
  'ocpp2.0.1': calls2,
  'ocpp2.1': calls2,
};
const told = new Set();
const answered = new Set();

const server = new RPCServer({ protocols: ['ocpp2.1', 'ocpp2.0.1', 'ocpp1.6'], strictMode: true,
  strictModeValidators: [createValidator('ocpp2.1', schemas21.map(named))] });
server.auth((accept) => accept({}));
server.on('client', (client) => {
  client.on('strictValidationFailure', ({ error }) => console.log(`invalid ${client.protocol} ${error.message} ${JSON.stringify(error.details)}`));
  const now = () => new Date().toISOString();
  const answer = (action, result) => client.handle(action, () => {
    if (!answered.has(action)) console.log(`answered ${action}`);
    answered.add(action);
    return result();
  });
  answer('BootNotification', () => ({ status: 'Accepted', interval: 300, currentTime: now() }));
  answer('Heartbeat', () => ({ currentTime: now() }));
  answer('StatusNotification', () => ({}));
  answer('MeterValues', () => ({}));
  answer('TransactionEvent', () => ({}));
  answer('StartTransaction', () => ({ transactionId: 7, idTagInfo: { status: 'Accepted' } }));
  answer('StopTransaction', () => ({}));
  if (told.has(client.identity)) return;
  told.add(client.identity);
  (async () => {
    for (const [action, payload] of calls[client.protocol]) {
      try {
        await client.call(action, payload);
      } catch (error) {
        console.log(`${client.protocol} ${action}: ${error.message} ${JSON.stringify(error.details)}`);
      }
    }
    console.log(`told ${client.protocol}`);
  })();
});

server.listen(0, '127.0.0.1').then((http) => console.log(http.address().port));
process.stdin.on('end', () => process.exit(0)).resume();
