// Gateways as Kubernetes runs them, with a simulated API that responds as the test specifies and is also the daemon of its
// sandboxes.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll } from 'vitest';
import { startUpstream, type TestUpstream } from '../../support/upstream.ts';
import { type Replica, startReplica } from '../../survive/support/replica.ts';
import type { Answer } from '../attacks/attack.ts';
import { post, toolCall } from './send.ts';

const numberIn = (file: string, pattern: RegExp): number =>
  Number(pattern.exec(readFileSync(`deploy/kubernetes/${file}`, 'utf8'))?.[1]);
const HEAP_MB = numberIn('deployment.yaml', /max-old-space-size=(\d+)/);
export const LIMIT_MB = numberIn('deployment.yaml', /limits: \{ memory: (\d+)Mi \}/);

/** Settings of the image, except host and port. */
const imageEnv = () =>
  Object.fromEntries(
    [...readFileSync('Dockerfile', 'utf8').matchAll(/\b(MALLOC_ARENA_MAX|THREAD_NICE)=(\d+)/g)].map(
      ([, name, value]) => [name, value],
    ),
  );

type StallGateway = {
  readonly embedded: Replica;
  readonly microvm: Replica;
  /** Responses by path, or by method and path; other paths get 404. */
  answers: Readonly<Record<string, Answer>>;
};

/** Registers the hooks; both gateways exist while a test runs. */
export function useStallGateway(): StallGateway {
  const stall = { answers: {} } as { -readonly [Field in keyof StallGateway]: StallGateway[Field] };
  let upstream: TestUpstream;
  const start = (engine: string) =>
    startReplica({
      nodeArgs: [`--max-old-space-size=${HEAP_MB}`],
      env: {
        ...{ E2B_API_URL: upstream.url, E2B_SANDBOX_URL: upstream.url, SANDBOX_ENGINE: engine },
        ...{ WARM_UP: 'true', MAX_PARALLEL_PER_KEY: '100', ...imageEnv() },
      },
    });
  beforeAll(async () => {
    upstream = await startUpstream();
    upstream.answer = (request, response) => {
      const path = request.url.split('?')[0] ?? '';
      const found = stall.answers[`${request.method} ${path}`] ?? stall.answers[path];
      response.writeHead(found === undefined ? 404 : 200, { 'content-type': found?.type ?? 'application/json' });
      setTimeout(() => response.end(found?.body ?? '{"code":404,"message":"not here"}'), found?.afterMs ?? 0);
    };
    stall.embedded = await start('quickjs');
    stall.microvm = await start('e2b');
    // The first call loads modules, which is not part of an attack.
    for (const gateway of [stall.embedded, stall.microvm])
      await post(gateway, toolCall('execute_read', 'async () => 1 as number'));
    await sleep(1_500); // warm-up threads have usually ended by then; no assertion depends on it
  });
  afterAll(async () => {
    await Promise.all([stall.embedded, stall.microvm].map(gateway => gateway.end('SIGKILL')));
    await upstream.close();
  });
  return stall;
}
