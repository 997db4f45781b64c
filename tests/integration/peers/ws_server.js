// ws, which most WebSocket servers of Node are made of, with permessage-deflate: returns each message as it came. Its argument are
// the server's parameters as JSON. Writes its port first, then what each connection agreed on. Ends with its standard input.
'use strict';

const { WebSocketServer } = require('ws');

const server = new WebSocketServer({
  host: '127.0.0.1',
  port: 0,
  handleProtocols: (offered) => [...offered][0],
  perMessageDeflate: { threshold: 0, ...JSON.parse(process.argv[2]) },
});

server.on('listening', () => console.log(server.address().port));
server.on('connection', (station) => {
  console.log(station.extensions || 'nothing');
  station.on('message', (data, isBinary) => station.send(data, { binary: isBinary }));
});
process.stdin.on('end', () => process.exit(0)).resume();
