// Background jobs and the processes of a virtual sandbox: `… &`, wait, ps, kill, nohup and their kin.
import { type Command, defineCommand, type ResolvedCommandContext } from 'just-bash';
import { BREATH_COMMAND, JOB_COMMAND, LAST_JOB_VARIABLE, STREAMS_VARIABLE, WAIT_COMMAND } from '../script.ts';
import { quote, type Session } from '../session.ts';
import { runLine, text } from './running.ts';

/** just-bash's own bookkeeping, which a new shell makes for itself. */
const INTERNAL = new Set([...'SHELLOPTS BASHOPTS BASHPID PWD OLDPWD PPID UID EUID'.split(' '), STREAMS_VARIABLE]);

/** How long scripts may hold up everything else. */
const BREATH_EVERY_MS = 10;

export function jobCommands(session: Session): Command[] {
  let lastBreathMs = performance.now();
  return [
    defineCommand(BREATH_COMMAND, async (_args, ctx) => {
      if (performance.now() - lastBreathMs > BREATH_EVERY_MS) {
        await new Promise(resolve => setImmediate(resolve));
        lastBreathMs = performance.now();
      }
      return text('', '', Number(ctx.env.get('?') ?? 0));
    }),
    defineCommand(JOB_COMMAND, async ([source = ''], ctx) => {
      const job = session.startJob(source, { cwd: ctx.cwd, env: variables(ctx), stdin: '' });
      await ctx.assignShellVariable?.(LAST_JOB_VARIABLE, String(job.id));
      return text('');
    }),
    defineCommand(WAIT_COMMAND, async args => {
      const ids = args.filter(arg => /^\d+$/.test(arg)).map(Number);
      const jobs = Array.from(session.jobs.values()).filter(job => ids.length === 0 || ids.includes(job.id));
      const codes = await Promise.all(jobs.map(job => job.done));
      return text('', '', ids.length === 0 ? 0 : (codes.at(-1) ?? 0));
    }),
    defineCommand('jobs', async () => {
      const lines = Array.from(session.jobs.values(), (job, at) => `[${at + 1}]  Running  ${job.source} &\n`);
      return text(lines.join(''));
    }),
    defineCommand('ps', async () => {
      const lines = Array.from(session.processes, ([id, { source }]) => {
        const line = source.replaceAll('\n', ' ').slice(0, 120);
        return `${String(id).padStart(7)} ?  0:00 ${line}\n`;
      });
      return text(`    PID TTY TIME CMD\n${lines.join('')}`);
    }),
    ...['pgrep', 'pkill'].map(name =>
      defineCommand(name, async args => {
        const found = matching(session, args);
        if (name === 'pkill') for (const id of found) session.processes.get(id)?.kill();
        const shown = name === 'pgrep' ? found.map(id => `${id}\n`).join('') : '';
        return text(shown, '', found.length === 0 ? 1 : 0);
      }),
    ),
    defineCommand('kill', async args => kill(session, args)),
    ...['nohup', 'setsid', 'stdbuf'].map(name =>
      defineCommand(name, (args, ctx) => {
        const first = name === 'stdbuf' ? args.findIndex(arg => !arg.startsWith('-')) : 0;
        return runLine(session, args.slice(first).map(quote).join(' '), ctx);
      }),
    ),
  ];
}

function kill(session: Session, args: string[]) {
  if (args[0] === '-l') return text('1) SIGHUP 2) SIGINT 9) SIGKILL 15) SIGTERM\n');
  const probe = args[0] === '-0';
  const signal = signalOf(args[0] === '-s' ? `-${args[1]}` : args[0]);
  const targets = args.slice(args[0] === '-s' ? 2 : 0);
  const missing: string[] = [];
  for (const arg of targets.filter(value => !value.startsWith('-'))) {
    const jobAt = /^%(\d+)$/.exec(arg)?.[1];
    const id = jobAt === undefined ? Number(arg) : Array.from(session.jobs.keys())[Number(jobAt) - 1];
    const found = session.processes.get(id ?? -1);
    if (found === undefined) missing.push(`bash: kill: (${arg}) - No such process\n`);
    else if (!probe) found.kill(signal);
  }
  return text('', missing.join(''), missing.length === 0 ? 0 : 1);
}

/** As the status of the process names it. */
const SIGNALS: Readonly<Record<string, string>> = { 1: 'hangup', HUP: 'hangup', 2: 'interrupt', INT: 'interrupt' };

/** `-9`, `-KILL`, `-SIGKILL` … */
function signalOf(option = ''): string {
  const name = option.replace(/^-(?:SIG)?/i, '').toUpperCase();
  return /^(9|KILL)$/.test(name) ? 'killed' : (SIGNALS[name] ?? 'terminated');
}

/** All of the shell's variables: a job is a copy of the shell, as far as that goes (functions stay behind). */
function variables(ctx: ResolvedCommandContext): Record<string, string> {
  return Object.fromEntries(Array.from(ctx.env).filter(([name]) => /^[A-Za-z_]\w*$/.test(name) && !INTERNAL.has(name)));
}

function matching(session: Session, args: string[]): number[] {
  const pattern = args.filter(arg => !arg.startsWith('-')).at(-1) ?? '';
  return Array.from(session.processes).flatMap(([id, { source }]) =>
    id !== session.pid && pattern !== '' && source.includes(pattern) ? [id] : [],
  );
}
