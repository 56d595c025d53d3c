// Aliases for fields of responses: the names in other SDKs, older versions and REST. Reading one returns the right value
// and adds a note with the right name. The aliases are not enumerable, so they do not show when the response is returned.
import { byName } from '../../by-name.ts';
import { addNote } from '../notes.ts';

/** The right name of a field, or a function that computes the value and the expression for it. */
type Meant = string | readonly [value: (answer: Record<string, unknown>) => unknown, written: string];

/** Adds the aliases to `answer` and returns it. */
export function alsoNamed<Answer>(answer: Answer, names: Readonly<Record<string, Meant>>): Answer {
  if (typeof answer !== 'object' || answer === null) return answer;
  for (const [name, meant] of Object.entries(names)) {
    if (name in answer) continue;
    const [value, written] = typeof meant === 'string' ? [(it: Record<string, unknown>) => it[meant], meant] : meant;
    Object.defineProperty(answer, name, {
      get() {
        addNote(`There is no field ${name}: it is ${written}.`);
        return value(answer as Record<string, unknown>);
      },
      configurable: true,
      enumerable: false,
    });
  }
  return answer;
}

/** The same for each item of a list. */
export const allNamed = (answers: unknown, names: Readonly<Record<string, Meant>>): unknown =>
  Array.isArray(answers) ? answers.map(answer => alsoNamed<unknown>(answer, names)) : answers;

export const OF_SANDBOX = byName<Meant>([
  ['sandboxId', 'id sandboxID sandbox_id'],
  ['templateId', 'templateID template_id'],
  ['state', 'status'],
  ['endAt', 'end_at'],
  ['startedAt', 'started_at'],
]);

export const OF_COMMAND = byName<Meant>([
  ['exitCode', 'exit_code exitcode returncode code status'],
  ['stdout', 'stdOut output text'],
  ['stderr', 'stdErr'],
]);

type Logs = { readonly stdout: readonly string[]; readonly stderr: readonly string[] };
const printed = (stream: keyof Logs) =>
  [
    ({ logs }: Record<string, unknown>) => (logs as Logs)[stream].join(''),
    `logs.${stream}, an array: logs.${stream}.join('')`,
  ] as const;
export const OF_EXECUTION = byName<Meant>([
  [printed('stdout'), 'stdout output'],
  [printed('stderr'), 'stderr'],
  ['text', 'result value'],
]);
export const OF_CODE_ERROR = byName<Meant>([
  ['value', 'message'],
  ['traceback', 'stack'],
]);

const isType = (type: string) =>
  [(entry: Record<string, unknown>) => entry.type === type, `type === '${type}'`] as const;
export const OF_ENTRY = byName<Meant>([
  ['name', 'filename'],
  [isType('dir'), 'isDir isDirectory'],
  [isType('file'), 'isFile'],
]);
