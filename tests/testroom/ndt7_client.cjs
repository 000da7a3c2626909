// Runs the npm package @m-lab/ndt7 under Node: node ndt7_client.cjs FOLDER HOST:PORT, where FOLDER has node_modules.
// The package is written for browsers: it is given their Worker (a thread) and their WebSocket (the package ws).
// Prints one JSON object: the package's own return code, what each of its callbacks was told, and errors.
'use strict';

const {createRequire} = require('node:module');
const path = require('node:path');
const threads = require('node:worker_threads');

if (threads.isMainThread) {
  main(process.argv[2], process.argv[3]);
} else {
  beWorker(threads.workerData);
}

function beWorker({folder, file}) {
  const installed = createRequire(path.join(folder, 'x.js'));
  globalThis.WebSocket = installed('ws');
  globalThis.self = globalThis;
  globalThis.postMessage = (data) => threads.parentPort.postMessage(data);
  installed(file);
  threads.parentPort.on('message', (data) => globalThis.onmessage({data}));
}

async function main(folder, server) {
  const installed = createRequire(path.join(folder, 'x.js'));
  globalThis.Worker = class {
    constructor(file) {
      this.thread = new threads.Worker(__filename, {workerData: {folder, file}});
      this.thread.on('message', (data) => this.onmessage({data}));
      this.thread.on('error', (error) => this.onmessage({data: {MsgType: 'error', Error: String(error)}}));
    }
    postMessage(data) {
      this.thread.postMessage(data);
    }
    terminate() {
      this.thread.terminate();
    }
  };
  const seen = {errors: [], download: {client: [], server: []}, upload: {client: [], server: []}};
  const callbacks = {error: (error) => seen.errors.push(String(error))};
  for (const test of ['download', 'upload']) {
    callbacks[test + 'Measurement'] = ({Source, Data}) => seen[test][Source].push(Data);
    callbacks[test + 'Complete'] = (last) => seen[test].complete = last;
  }
  const ndt7 = installed('@m-lab/ndt7');
  const worker = (test) => `@m-lab/ndt7/src/ndt7-${test}-worker.js`;
  seen.code = await ndt7.test({
    server,
    mlabDataPolicyInapplicable: true,
    downloadworkerfile: worker('download'),
    uploadworkerfile: worker('upload'),
  }, callbacks);
  console.log(JSON.stringify(seen));
}
