// ocpp-rpc as a CSMS in strict mode: what does not fit OCPP's JSON schemas is refused. Writes its port first, then a line
// for each thing of note. Ends with its standard input.
'use strict';

const { RPCServer } = require('ocpp-rpc');

const passwords = new Map([
  ['RDAM|123', Buffer.from('a password of sixteen')],
  ['AL1000', Buffer.from('0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF', 'hex')],
]);

const server = new RPCServer({ protocols: ['ocpp2.0.1', 'ocpp1.6'], strictMode: true });

server.auth((accept, reject, handshake) => {
  const expected = passwords.get(handshake.identity);
  if (!expected || !handshake.password || !expected.equals(handshake.password)) {
    console.log(`refused ${handshake.identity}`);
    reject(401, 'wrong identity or password');
    return;
  }
  accept({});
});

server.on('client', (client) => {
  client.on('strictValidationFailure', ({ error }) => console.log(`invalid ${error.message}`));
  client.handle('BootNotification', () => {
    // A CALL of the server's own while it answers one of the station's.
    client.call('ClearCache', {}).then(
      (answer) => console.log(`cleared ${answer.status}`),
      (error) => console.log(`not cleared: ${error.message}`),
    );
    return { status: 'Accepted', interval: 300, currentTime: new Date().toISOString() };
  });
  client.handle('Heartbeat', () => ({ currentTime: new Date().toISOString() }));
  client.on('close', ({ code, reason }) => console.log(`closed ${client.identity} ${client.protocol} ${code} ${reason}`));
});

server.listen(0, '127.0.0.1').then((http) => console.log(http.address().port));
process.stdin.on('end', () => process.exit(0)).resume();
