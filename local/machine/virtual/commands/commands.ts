// All commands of ours in a virtual shell; the rest are just-bash's own.
import type { CustomCommand } from 'just-bash';
import type { Session } from '../session.ts';
import { byteCommands } from './bytes.ts';
import { gitCommands } from './git.ts';
import { inputCommands } from './input.ts';
import { jobCommands } from './jobs.ts';
import { runtimeCommands } from './runtimes.ts';
import { systemCommands } from './system.ts';
import { userCommands } from './users.ts';

export function commandsFor(session: Session, source: string): CustomCommand[] {
  return [
    ...inputCommands(session),
    ...jobCommands(session),
    ...runtimeCommands(session),
    ...userCommands(session),
    ...gitCommands(session),
    ...byteCommands(source),
    ...systemCommands(session),
  ];
}
