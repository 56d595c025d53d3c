// Finds the processes of the host that belong to a sandbox, and their ports. They are recognised by a variable in their
// environment, which children inherit even if they detach. Linux only: elsewhere none are found.
import { readdir, readFile, readlink } from 'node:fs/promises';

export const MARK = 'E2B_LOCAL_MACHINE';

async function markedPids(mark: string): Promise<number[]> {
  const wanted = `${MARK}=${mark}`;
  const pids = (await readdir('/proc').catch(() => [])).filter(name => /^\d+$/.test(name)).map(Number);
  const marked = await Promise.all(
    pids.map(async pid => {
      const environ = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
      return environ.split('\0').includes(wanted);
    }),
  );
  return pids.filter((pid, at) => marked[at] === true && pid !== process.pid);
}

export async function signalMarked(mark: string, signal: NodeJS.Signals): Promise<number> {
  const pids = await markedPids(mark);
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // The process has ended meanwhile.
    }
  }
  return pids.length;
}

/** The address of `port`, if a process of the sandbox listens on it. */
export async function listenerOf(mark: string, port: number): Promise<string | undefined> {
  const sockets = [...(await listening('/proc/net/tcp', port)), ...(await listening('/proc/net/tcp6', port))];
  if (sockets.length === 0) return undefined;
  for (const pid of await markedPids(mark)) {
    const open = await openSockets(pid);
    const socket = sockets.find(({ inode }) => open.has(inode));
    if (socket !== undefined) return socket.loopback;
  }
  return undefined;
}

const LISTEN = '0A';

async function listening(table: string, port: number): Promise<{ inode: string; loopback: string }[]> {
  const rows = (await readFile(table, 'latin1').catch(() => '')).split('\n').slice(1);
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  return rows.flatMap(row => {
    const columns = row.trim().split(/\s+/);
    const [address = '', localPort = ''] = (columns[1] ?? '').split(':');
    const inode = columns[9];
    if (columns[3] !== LISTEN || localPort !== wanted || inode === undefined) return [];
    // Only ::1 needs IPv6; everything else is reached by IPv4.
    const onlyV6 = address === '00000000000000000000000001000000';
    return [{ inode, loopback: onlyV6 ? '::1' : '127.0.0.1' }];
  });
}

async function openSockets(pid: number): Promise<Set<string>> {
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const links = await Promise.all(descriptors.map(fd => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
  return new Set(links.flatMap(link => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
}
