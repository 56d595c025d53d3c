// Measures a gateway from a separate thread, so that the test's own work during an attack does not count: how long
// /healthz does not respond, and how long a bystander's trivial call takes.
import { Worker } from 'node:worker_threads';

export type Watched = {
  /** The longest time between two responses of /healthz, without the time in which the probe itself could not run. */
  readonly silenceMs: number;
  /** CPU times of the gateway's main thread in that time; zeros if the system does not measure it. */
  readonly inSilence: { readonly ranMs: number; readonly waitedMs: number };
  /** The p50 of the bystander's calls; 0 if none got a response. */
  readonly p50Ms: number;
  readonly answered: number;
  readonly failed: number;
};

/** Plain JavaScript, because threads cannot run TypeScript. */
const SCRIPT = `
const { parentPort, workerData: { url, key, call, pid } } = require('node:worker_threads');
const { request, Agent } = require('node:http');
const { readFileSync } = require('node:fs');
const agent = new Agent({ keepAlive: true });
/** Probes of an orchestrator use new connections. */
const probes = new Agent({ keepAlive: false });
const send = (path, method, headers, body, agent) => new Promise((resolve, reject) => {
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
const mainThread = () => {
  try {
    const [ran, waited] = readFileSync('/proc/' + pid + '/task/' + pid + '/schedstat', 'utf8').split(' ').map(Number);
    return { ran: ran / 1e6, waited: waited / 1e6 };
  } catch {
    return { ran: 0, waited: 0 };
  }
};
let silenceMs = 0, inSilence = { ranMs: 0, waitedMs: 0 }, last = mainThread();
let failed = 0, lastAt = performance.now(), stopped = false;
const answered = () => {
  const now = performance.now(), main = mainThread();
  if (now - lastAt - ownMs > silenceMs) {
    silenceMs = now - lastAt - ownMs;
    inSilence = { ranMs: main.ran - last.ran, waitedMs: main.waited - last.waited };
  }
  lastAt = now;
  last = main;
  ownMs = 0;
};
const times = [];
const poll = async () => {
  while (!stopped) {
    await send('/healthz', 'GET', {}, '', probes).catch(() => pause(20));
    answered();
    await pause(10);
  }
};
const HEADERS = { authorization: 'Bearer ' + key, 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
const bystand = async () => {
  while (!stopped) {
    const startedAt = performance.now();
    const answer = await send('/mcp', 'POST', HEADERS, call, agent).catch(() => ({ status: 0, text: '' }));
    if (answer.status === 200 && !answer.text.includes('isError":true')) times.push(performance.now() - startedAt);
    else failed += 1;
    await pause(20);
  }
};
const running = Promise.all([poll(), bystand()]);
const summary = () => ({ silenceMs, inSilence, p50Ms: times.sort((a, b) => a - b)[times.length >> 1] ?? 0, answered: times.length, failed });
parentPort.on('message', () => {
  stopped = true;
  answered();
  const watched = summary();
  agent.destroy();
  parentPort.postMessage(watched);
  process.exit(0);
});
`;

type Watching = {
  readonly url: string;
  readonly pid: number | undefined;
  readonly key: string;
  /** The bystander's request, as it is sent. */
  readonly call: string;
};

export function watch(watching: Watching): { stop(): Promise<Watched> } {
  const worker = new Worker(SCRIPT, { eval: true, workerData: watching });
  const watched = new Promise<Watched>((resolve, reject) => worker.once('message', resolve).once('error', reject));
  return {
    stop() {
      worker.postMessage('stop');
      return watched;
    },
  };
}
