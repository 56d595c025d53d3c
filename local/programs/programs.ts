// `python3 …` and `node …` in a virtual shell: an interpreter of its own for each, ended with the command.
import type { DataMachine, Language, RunProgram } from '../machine/machine.ts';
import { Deferred, onAbort } from '../waiting.ts';
import { Guest } from './guest.ts';

const VERSIONS: Readonly<Record<Language, string>> = { python: 'Python 3.13.2', javascript: 'v20.0.0' };
const KILLED = 137;
const CANNOT_START = 126;

export function programRunner(machine: DataMachine): RunProgram {
  return async (language, args, io) => {
    if (/^(--version|-V|-v)$/.test(args[0] ?? '')) {
      await io.output('stdout', Buffer.from(`${VERSIONS[language]}\n`));
      return 0;
    }
    if (io.signal.aborted) return KILLED;
    const started = machine.network?.starting() ?? (() => {});
    let guest: Guest;
    try {
      const { cwd, env } = io;
      guest = await Guest.start(machine, { language, args, cwd, env }, { ...io, awake: started });
    } catch (caught) {
      started();
      await io.output('stderr', Buffer.from(`${caught instanceof Error ? caught.message : 'it could not start'}\n`));
      return CANNOT_START;
    }
    // The thread's end is not waited for: just-bash gives what was aborted little time to come back.
    const killed = new Deferred<number>();
    const off = onAbort(io.signal, () => {
      killed.resolve(KILLED);
      void guest.kill();
    });
    const code = await Promise.race([killed.promise, guest.exited]);
    off();
    started();
    return code;
  };
}
