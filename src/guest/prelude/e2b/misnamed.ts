// Fields of answers under the names that other SDKs, older versions and REST give them: reading one gives the right value,
// and a note says what it is called. They do not show when the answer is returned.
import { addNote } from '../notes.ts';

/** A field's right name, or what makes its value and how that is written. */
type Meant = string | readonly [value: (answer: Record<string, unknown>) => unknown, written: string];

/** The answer itself. */
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

/** Each of a list. */
export const allNamed = (answers: unknown, names: Readonly<Record<string, Meant>>): unknown =>
  Array.isArray(answers) ? answers.map(answer => alsoNamed<unknown>(answer, names)) : answers;

const INSTANCE = 'sandboxId';
export const OF_SANDBOX = {
  id: INSTANCE,
  sandboxID: INSTANCE,
  sandbox_id: INSTANCE,
  templateID: 'templateId',
  template_id: 'templateId',
  status: 'state',
  end_at: 'endAt',
  started_at: 'startedAt',
};

const CODE = 'exitCode';
export const OF_COMMAND = {
  exit_code: CODE,
  exitcode: CODE,
  returncode: CODE,
  code: CODE,
  status: CODE,
  stdOut: 'stdout',
  stdErr: 'stderr',
  output: 'stdout',
  text: 'stdout',
};

type Logs = { readonly stdout: readonly string[]; readonly stderr: readonly string[] };
const printed = (stream: keyof Logs) =>
  [
    ({ logs }: Record<string, unknown>) => (logs as Logs)[stream].join(''),
    `logs.${stream}, an array: logs.${stream}.join('')`,
  ] as const;
export const OF_EXECUTION = {
  stdout: printed('stdout'),
  stderr: printed('stderr'),
  output: printed('stdout'),
  result: 'text',
  value: 'text',
};
export const OF_CODE_ERROR = { message: 'value', stack: 'traceback' };

const isType = (type: string) =>
  [(entry: Record<string, unknown>) => entry.type === type, `type === '${type}'`] as const;
export const OF_ENTRY = {
  filename: 'name',
  isDir: isType('dir'),
  isDirectory: isType('dir'),
  isFile: isType('file'),
};
