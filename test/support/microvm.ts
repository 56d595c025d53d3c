// Local mode with real processes and injected faults, and the microVM engine that uses it.
import type { IncomingMessage } from 'node:http';
import type { LocalCloud } from '../../local/server.ts';
import { type LocalOptions, startLocal } from '../../local/start.ts';
import type { Connection } from '../../src/e2b/connection.ts';
import { WireFactory } from '../../src/e2b/wire.ts';
import type { CallHost, Outcome } from '../../src/engine/engine.ts';
import { type Account, Disposal } from '../../src/engine/microvm/disposal.ts';
import { CHECKS_HERE, createE2bEngine, type E2bEngine, type E2bOptions } from '../../src/engine/microvm/engine.ts';
import { Run } from '../../src/engine/microvm/run.ts';
import { MARK } from '../../src/engine/microvm/wire.ts';
import { HostTurns } from '../../src/ground/host-turns.ts';
import { Origin } from '../../src/ground/origin.ts';
import { DESCRIPTION } from '../contract/description.ts';
import { echoHost, LIMITS, principal } from '../contract/harness.ts';
import type { Fault } from './faults.ts';
import { processMachine } from './process-machine/machine.ts';

/** A capability whose calls stay open. */
export const UNANSWERED = 'api.unanswered';
const echoUnless: CallHost = (call, signal) =>
  call.capability === UNANSWERED ? new Promise(() => undefined) : echoHost(call, signal);

/** Local mode accepts any key of this form. */
export const RUNNER_KEY = `e2b_${'0'.repeat(40)}`;

export function startProcessCloud(options: Partial<LocalOptions> = {}): Promise<LocalCloud> {
  return startLocal({
    port: 0,
    machine: processMachine,
    limits: { maxRunningPerTeam: 1_000, maxLifeMs: 3_600_000 },
    ...options,
  });
}

export function microvmEngine(cloud: { readonly url: string }, options: Partial<E2bOptions> = {}): E2bEngine {
  return createE2bEngine({
    descriptionJson: DESCRIPTION,
    connection: localConnection(cloud),
    runnerApiKey: RUNNER_KEY,
    ...options,
  });
}

const localConnection = ({ url }: { readonly url: string }): Connection => ({
  api: new Origin(url),
  sandboxUrl: url,
  domain: 'e2b.localhost',
});

/** A run in whose sandbox `code` replaces the runner; it can use `fs`, `folder`, `write`, `sendFrame` and `message`. */
export async function runInPlaceOfRunner(
  where: { readonly url: string } | Account,
  code: string,
  wallMs = 1_500,
): Promise<Outcome> {
  const runner = `
    const fs = require('node:fs'), folder = codeModeRun.folder;
    const write = text => { let rest = Buffer.from(text); while (rest.length) rest = rest.subarray(fs.writeSync(1, rest)) };
    const sendFrame = frame => write(${JSON.stringify(MARK)} + JSON.stringify(frame) + '\\n');
    const message = (kind, id, p) => sendFrame({ t: 'message', kind, id, cpuMs: 1, p });
    setInterval(() => {}, 1000);
    write('profile without a line end\\n'); sendFrame({ t: 'started' });
    ${code}`;
  const disposal = new Disposal(() => undefined);
  const wires = new WireFactory();
  const account =
    'url' in where ? { e2b: localConnection(where), apiKey: RUNNER_KEY, principalId: principal.id } : where;
  const run = new Run(
    {
      ...{ source: 'unused', surface: 'write', callHost: echoUnless, limits: { ...LIMITS, wallMs }, principal },
      signal: new AbortController().signal,
    },
    {
      ...{ pack: { json: JSON.stringify({ runner }) }, account, template: 'base' },
      ...{ startTimeoutMs: 20_000, graceMs: 5_000, disposal, wires, turns: new HostTurns(), log: () => undefined },
      checks: CHECKS_HERE,
      own: sandboxId => () => void disposal.kill(sandboxId, account),
    },
  );
  run.start();
  return run.outcome.finally(() => wires.close());
}

/** Applies faults to matching requests, one each, in order; with `forever` the last one is repeated. */
export class Faults {
  #rules: { readonly request: RegExp; readonly faults: (Fault | undefined)[]; readonly forever: boolean }[] = [];
  /** `METHOD path` of every request. */
  readonly seen: string[] = [];

  readonly hook = (req: IncomingMessage): Fault | undefined => {
    const request = `${req.method} ${(req.url ?? '').split('?', 1)[0]}`;
    this.seen.push(request);
    const rule = this.#rules.find(({ request: wanted, faults }) => wanted.test(request) && faults.length > 0);
    return rule?.forever === true && rule.faults.length === 1 ? rule.faults[0] : rule?.faults.shift();
  };

  next(request: RegExp, ...faults: (Fault | undefined)[]): void {
    this.#rules.push({ request, faults, forever: false });
  }

  always(request: RegExp, fault: Fault): void {
    this.#rules.push({ request, faults: [fault], forever: true });
  }

  clear(): void {
    this.#rules = [];
    this.seen.length = 0;
  }
}

export const CREATE = /^POST \/v2\/sandboxes$/;
export const KILL = /^DELETE \/sandboxes\//;
export const CONCURRENCY: Fault = {
  status: 429,
  body: { code: 429, message: 'you have reached the maximum number of concurrent E2B sandboxes (20). contact us' },
};
export const rateLimit = (retryAfter: string): Fault => ({
  status: 429,
  headers: { 'retry-after': retryAfter },
  body: { code: 429, message: 'Rate limit exceeded' },
});
