// Watches a gateway from a thread of its own, so that what an attack costs the test itself is not measured: how long
// /healthz stays silent, and how long a bystander's trivial call takes.
import { Worker } from 'node:worker_threads';

export type Watched = {
  /** The longest time between two answers of /healthz, without what this machine kept the probe itself from running. */
  readonly silenceMs: number;
  /** Of the bystander's calls; 0 when none was answered. */
  readonly p50Ms: number;
  readonly answered: number;
  readonly failed: number;
};

/** Plain JavaScript: threads run no TypeScript. */
const SCRIPT = `
const { parentPort, workerData: { url, key, call } } = require('node:worker_threads');
const { request, Agent } = require('node:http');
const agent = new Agent({ keepAlive: true });
const send = (path, method, headers, body) => new Promise((resolve, reject) => {
  const sent = request(url + path, { method, headers, agent }, answer => {
    let text = '';
    answer.setEncoding('utf8').on('data', part => (text += part)).on('end', () => resolve({ status: answer.statusCode, text }));
  });
  sent.on('error', reject).end(body);
});
const pause = ms => new Promise(done => setTimeout(done, ms));
let ownMs = 0, tickedAt = performance.now();
setInterval(() => {
  const now = performance.now();
  ownMs += Math.max(0, now - tickedAt - 20);
  tickedAt = now;
}, 10);
let silenceMs = 0, failed = 0, lastAt = performance.now(), stopped = false;
const times = [];
const poll = async () => {
  while (!stopped) {
    await send('/healthz', 'GET', {}).catch(() => pause(20));
    const now = performance.now();
    silenceMs = Math.max(silenceMs, now - lastAt - ownMs);
    lastAt = now;
    ownMs = 0;
    await pause(10);
  }
};
const HEADERS = { authorization: 'Bearer ' + key, 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
const bystand = async () => {
  while (!stopped) {
    const startedAt = performance.now();
    const answer = await send('/mcp', 'POST', HEADERS, call).catch(() => ({ status: 0, text: '' }));
    if (answer.status === 200 && !answer.text.includes('isError":true')) times.push(performance.now() - startedAt);
    else failed += 1;
    await pause(20);
  }
};
const running = Promise.all([poll(), bystand()]);
const summary = () => ({ silenceMs, p50Ms: times.sort((a, b) => a - b)[times.length >> 1] ?? 0, answered: times.length, failed });
parentPort.on('message', () => {
  stopped = true;
  silenceMs = Math.max(silenceMs, performance.now() - lastAt - ownMs);
  const watched = summary();
  agent.destroy();
  parentPort.postMessage(watched);
  process.exit(0);
});
`;

/** `call`: the bystander's, as it is sent. */
export function watch(url: string, key: string, call: string): { stop(): Promise<Watched> } {
  const worker = new Worker(SCRIPT, { eval: true, workerData: { url, key, call } });
  const watched = new Promise<Watched>((resolve, reject) => worker.once('message', resolve).once('error', reject));
  return {
    stop() {
      worker.postMessage('stop');
      return watched;
    },
  };
}
