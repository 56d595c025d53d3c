// What agents ask a machine about itself and its network, and programs that local mode does not have.
import { type Command, defineCommand } from 'just-bash';
import type { Session } from '../session.ts';
import { exported, failed, original, text } from './running.ts';

const PACKAGES = 'apt apt-get apk dnf yum brew';
const TOOLS =
  'gcc g++ make cargo rustc go java javac Rscript docker ssh wget zip unzip openssl perl ruby php vim nano systemctl';

/** Of `ss`. */
const TITLES = 'Netid State  Recv-Q Send-Q Local Address:Port  Peer Address:Port\n';
const WITHOUT_SCHEME = /^(?:localhost|127\.0\.0\.1|0\.0\.0\.0)(?::\d+)?(?:[/?#].*)?$/;

export function systemCommands({ terminal, shell: { volumes, network } }: Session): Command[] {
  const size = () => terminal?.size ?? { cols: 80, rows: 24 };
  return [
    answer('uname', args => (args.includes('-a') ? 'Linux e2b.local 6.1.0 #1 SMP x86_64 GNU/Linux' : 'Linux')),
    answer('hostname', () => 'e2b.local'),
    answer('nproc', () => '2'),
    answer('arch', () => 'x86_64'),
    answer('free', () => '               total        used        free\nMem:          512000       64000      448000'),
    answer(
      'df',
      () => 'Filesystem 1K-blocks   Used Available Use% Mounted on\nvirtual       524288   1024    523264   1% /',
    ),
    answer('mount', () =>
      ['/dev/vda on / type ext4 (rw)', ...volumes.map(path => `volume on ${path} type nfs4 (rw)`)].join('\n'),
    ),
    answer('tput', ([what]) => String({ cols: size().cols, lines: size().rows }[what ?? ''] ?? '')),
    answer('stty', ([what]) => (what === 'size' ? `${size().rows} ${size().cols}` : '')),
    answer('ulimit', () => 'unlimited'),
    // just-bash shows all variables, its own bookkeeping among them.
    ...['env', 'printenv'].map(name =>
      defineCommand(name, async (args, ctx) => {
        if (args.length > 0) return original(args, ctx);
        return text(
          Object.entries(exported(ctx))
            .map(([key, value]) => `${key}=${value}\n`)
            .join(''),
        );
      }),
    ),
    defineCommand('ln', async (args, ctx) => {
      const link = args.filter(arg => !arg.startsWith('-')).at(-1);
      const path = ctx.fs.resolvePath(ctx.cwd, link ?? '');
      // just-bash takes a broken link for nothing, and then cannot replace it.
      const there = link === undefined ? undefined : await ctx.fs.lstat(path).catch(() => undefined);
      const forced = args.some(arg => /^-\w*f/.test(arg));
      if (forced && there?.isSymbolicLink === true && !(await ctx.fs.exists(path))) await ctx.fs.rm(path);
      return original(args, ctx);
    }),
    ...['sync', 'trap'].map(name => defineCommand(name, async () => text(''))),
    defineCommand('mktemp', async (args, ctx) => {
      const path = `/tmp/tmp.${Math.random().toString(36).slice(2, 12)}`;
      if (args.includes('-d')) await ctx.fs.mkdir(path, { recursive: true });
      else await ctx.fs.writeFile(path, '');
      return text(`${path}\n`);
    }),
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
      const open = network.open().filter(port => wanted === undefined || port === Number(wanted));
      const lines = open.map(port => `tcp   LISTEN 0      128          0.0.0.0:${port}       0.0.0.0:*\n`);
      const titles = /^-\w*H/.test(args[0] ?? '') || args.includes('--no-header') ? '' : TITLES;
      return text(titles + lines.join(''));
    }),
    ...absent(PACKAGES, 'local mode is a stand-in for E2B without network or packages; nothing can be installed', 100),
    ...absent(TOOLS, "not part of local mode, a stand-in for E2B's real sandboxes", 127),
  ];
}

const absent = (names: string, why: string, exitCode: number): Command[] =>
  names.split(' ').map(name => defineCommand(name, async () => failed(`${name}: ${why}`, exitCode)));

function answer(name: string, say: (args: string[]) => string): Command {
  return defineCommand(name, async args => text(`${say(args)}\n`));
}
