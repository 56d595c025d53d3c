// Who one is and becomes: whoami, id, sudo, su, and changes to /etc/passwd.
import { type Command, defineCommand, type ExecResult, type ResolvedCommandContext } from 'just-bash';
import { findUser, PASSWD_PATH, parseUsers, type User } from '../../users.ts';
import { quote, type Session } from '../session.ts';
import { collect, failed, inherited, optionsOf, text } from './running.ts';

export function userCommands(session: Session): Command[] {
  const { root } = session.shell;
  const find = (name: string) => findUser({ read: path => root.readFileBuffer(path) }, name);
  return [
    ...['whoami', 'logname', 'groups'].map(name => defineCommand(name, async () => text(`${session.user.name}\n`))),
    defineCommand('id', async args => {
      const name = args.find(arg => !arg.startsWith('-'));
      const user = name === undefined ? session.user : await find(name);
      if (user === undefined) return failed(`id: '${name}': no such user`);
      return text(`${idOf(user, args.filter(arg => arg.startsWith('-')).join(''))}\n`);
    }),
    defineCommand('sudo', async (args, ctx) => {
      const { user: name, rest } = sudoArgs(args);
      return become(session, await find(name), name, rest.map(quote).join(' '), ctx);
    }),
    defineCommand('su', async (args, ctx) => {
      const { values, positionals } = optionsOf(args, { command: { type: 'string', short: 'c' } });
      const [name = 'root'] = positionals.filter(given => given !== '-');
      if (session.user.uid !== 0) return failed('su: Authentication failure');
      return become(session, await find(name), name, String(values.command ?? ''), ctx);
    }),
    defineCommand('useradd', args => addUser(session, args)),
    defineCommand('adduser', args => addUser(session, args)),
    defineCommand('chown', (args, ctx) => chown(session, args, ctx)),
  ];
}

function idOf({ name, uid, gid }: User, flags: string): string {
  if (flags.includes('u')) return flags.includes('n') ? name : String(uid);
  if (/[gG]/.test(flags)) return flags.includes('n') ? name : String(gid);
  return `uid=${uid}(${name}) gid=${gid}(${name}) groups=${gid}(${name})`;
}

function sudoArgs(args: readonly string[]): { user: string; rest: readonly string[] } {
  let user = 'root';
  let at = 0;
  for (; at < args.length && (args[at]?.startsWith('-') === true || /^\w+=/.test(args[at] ?? '')); at += 1) {
    if (args[at] === '-u' || args[at] === '--user') user = args[++at] ?? user;
    else if (/^\w+=/.test(args[at] ?? '')) break;
  }
  return { user, rest: args.slice(at) };
}

async function become(
  session: Session,
  user: User | undefined,
  name: string,
  source: string,
  ctx: ResolvedCommandContext,
): Promise<ExecResult> {
  if (user === undefined) return failed(`sudo: unknown user ${name}`);
  const given = inherited(ctx);
  const env = { ...given.env, HOME: user.home, USER: user.name, LOGNAME: user.name };
  return collect(session, ctx, output => session.as(user, output).run(source, { ...given, env }));
}

async function addUser({ shell: { root }, user }: Session, args: readonly string[]): Promise<ExecResult> {
  if (user.uid !== 0) return failed('Permission denied: only root may add a user');
  const name = args.filter(arg => !arg.startsWith('-')).at(-1) ?? '';
  if (!/^[a-z_][a-z0-9_-]{0,31}$/.test(name)) return failed(`invalid user name '${name}'`, 3);
  const passwd = await root.readFile(PASSWD_PATH);
  const users = parseUsers(passwd);
  if (users.some(each => each.name === name)) return failed(`user '${name}' already exists`, 9);
  const uid = Math.max(1000, ...users.filter(each => each.uid < 60_000).map(each => each.uid)) + 1;
  await root.writeFile(PASSWD_PATH, `${passwd}${name}:x:${uid}:${uid}::/home/${name}:/bin/bash\n`);
  await root.mkdir(`/home/${name}`, { recursive: true });
  root.give(`/home/${name}`, uid);
  return text('');
}

async function chown(session: Session, args: readonly string[], ctx: ResolvedCommandContext): Promise<ExecResult> {
  const [owner = '', ...paths] = args.filter(arg => !arg.startsWith('-'));
  const { root } = session.shell;
  const name = owner.split(/[:.]/, 1)[0] ?? '';
  const user = await findUser({ read: path => root.readFileBuffer(path) }, name);
  const uid = user?.uid ?? (/^\d+$/.test(name) ? Number(name) : undefined);
  if (uid === undefined) return failed(`chown: invalid user: '${owner}'`);
  for (const given of paths) {
    const path = ctx.fs.resolvePath(ctx.cwd, given);
    if (!(await ctx.fs.exists(path))) return failed(`chown: cannot access '${given}': No such file or directory`);
    if (session.user.uid !== 0) return failed(`chown: changing ownership of '${given}': Operation not permitted`);
    const below = args.some(arg => /^-\w*R/.test(arg))
      ? root.getAllPaths().filter(at => at.startsWith(`${path}/`))
      : [];
    for (const each of [path, ...below]) root.chown(each, uid);
  }
  return text('');
}
