// All commands of ours in a virtual shell; the rest are just-bash's own.
import type { CustomCommand } from 'just-bash';
import type { Session } from '../session.ts';
import { inputCommands } from './input.ts';
import { jobCommands } from './jobs.ts';
import { runtimeCommands } from './runtimes.ts';
import { systemCommands } from './system.ts';

export function commandsFor(session: Session): CustomCommand[] {
  return [...inputCommands(session), ...jobCommands(session), ...runtimeCommands(session), ...systemCommands()];
}
