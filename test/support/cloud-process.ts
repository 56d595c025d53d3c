// pnpm cloud:process: local mode with real processes of this machine instead of virtual ones, for programs that need
// a real Node in their sandboxes (the microVM engine, SANDBOX_ENGINE=e2b). Without any isolation. Port: PORT, else 3001.
import { startLocal } from '../../local/start.ts';
import { processMachine } from './process-machine/machine.ts';

const cloud = await startLocal({ port: Number(process.env.PORT ?? 3001), machine: processMachine });
console.error(
  'WARNING: what is asked of these sandboxes runs as real processes of this machine, as this user, without any isolation.',
);
console.log(`
  export E2B_API_URL=${cloud.url} E2B_SANDBOX_URL=${cloud.url} E2B_VOLUME_API_URL=${cloud.url} E2B_API_KEY=e2b_${'0'.repeat(40)}
`);
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => cloud.close().finally(() => process.exit(0)));
