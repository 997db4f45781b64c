// Node's own TLS talks to the CSMS before the library does, and while a station of it is connected.
// usage: node host.js <addon>, with HOST_LIBRARY, HOST_URL and HOST_CA in the environment
'use strict';
const fs = require('fs');
const tls = require('tls');

const ca = fs.readFileSync(process.env.HOST_CA);
const { port } = new URL(process.env.HOST_URL);

async function shakeHands() {
  const socket = tls.connect({ host: '127.0.0.1', port, ca });
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  socket.destroy();
}

async function main() {
  await shakeHands();
  process.dlopen({ exports: {} }, process.argv[2]);
  await shakeHands();
  console.log(`talked beside OpenSSL ${process.versions.openssl}`);
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
