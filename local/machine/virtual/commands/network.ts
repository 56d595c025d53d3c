// The network as the shell sees it: curl to the sandbox's own ports, and which of them are open.
import { type Command, defineCommand } from 'just-bash';
import type { Ports } from '../ports.ts';
import { original, text } from './running.ts';

const WITHOUT_SCHEME = /^(?:localhost|127\.0\.0\.1|0\.0\.0\.0)(?::\d+)?(?:[/?#].*)?$/;

export function networkCommands(ports: Ports): Command[] {
  return [
    // just-bash takes an address without a scheme for https, curl for http.
    defineCommand('curl', (args, ctx) =>
      original(
        args.map(arg => (WITHOUT_SCHEME.test(arg) ? `http://${arg}` : arg)),
        ctx,
      ),
    ),
    // `ss -Htuln sport = :PORT` is how the SDKs' templates wait for a port.
    defineCommand('ss', async args => {
      const wanted = /(?:sport\s*=+\s*)?:(\d+)\s*\)?$/.exec(args.join(' '))?.[1];
      const open = ports.open().filter(port => wanted === undefined || port === Number(wanted));
      const lines = open.map(port => `tcp   LISTEN 0      128          0.0.0.0:${port}       0.0.0.0:*\n`);
      const titles = /^-\w*H/.test(args[0] ?? '') || args.includes('--no-header') ? '' : TITLES;
      return text(titles + lines.join(''));
    }),
  ];
}

const TITLES = 'Netid State  Recv-Q Send-Q Local Address:Port  Peer Address:Port\n';
