// Prepares a parsed shell script to run as a process: just-bash hands over all output at the end and has no background
// jobs, a process streams and has both. So commands whose output nothing in the script takes are redirected to the
// process's sinks, `read` to its input, and `… &` becomes a job. Pure: one syntax tree in, changed in place.
import { widenRanges } from './ranges.ts';
import type * as syntax from './syntax.ts';
import { nodesOf } from './syntax.ts';

type Statement = syntax.StatementNode;
type Word = syntax.WordNode;

/** Paths, served by the file system, that lead to the process. */
export type Channels = {
  readonly stdout: string;
  readonly stderr: string;
  /** Each reading gives the next line. Undefined: the process has no stdin. */
  readonly line: string | undefined;
};

export const JOB_COMMAND = '__start_job';
/** Stands in every loop: just-bash would run it through without letting anything else happen. */
export const BREATH_COMMAND = '__breathe';
export const WAIT_COMMAND = '__wait_jobs';
/** Set for commands that stream, see `Streaming`: their output may go to the process at once. */
export const STREAMS_VARIABLE = '__STREAMS';
/** Both outputs, both as one (`2>&1`), or one without errors (`2>/dev/null`). */
export type Streaming = 'both' | 'merged' | 'stdout';
/** What `$!` becomes. */
export const LAST_JOB_VARIABLE = '__LAST_JOB';

/** Commands of ours that write while they run, where their output goes to the process. */
const STREAMING = new Set('python python3 node npx cat bash sh nohup sudo tsx deno bun'.split(' '));

/** They steer the shell; a redirection would stay (exec) or change what they do. */
const SILENT = new Set(['exec', 'break', 'continue', 'return', 'exit', 'shift', 'unset', 'local', 'set', ':', 'wait']);

export function prepareScript(
  script: syntax.ScriptNode,
  channels: Channels,
  serialize: (script: syntax.ScriptNode) => string,
): void {
  for (const node of nodesOf(script)) {
    if (node.type === 'ParameterExpansion' && node.parameter === '!') node.parameter = LAST_JOB_VARIABLE;
  }
  widenRanges(script);
  new Preparation(channels, serialize).statements(script.statements, true);
}

class Preparation {
  readonly #channels: Channels;
  readonly #serialize: (script: syntax.ScriptNode) => string;

  constructor(channels: Channels, serialize: (script: syntax.ScriptNode) => string) {
    this.#channels = channels;
    this.#serialize = serialize;
  }

  /** `feeds`: they read the process's own input. */
  statements(statements: Statement[], feeds: boolean): void {
    for (const statement of statements) {
      if (statement.background) this.#job(statement);
      else for (const pipeline of statement.pipelines) this.#pipeline(pipeline, feeds);
    }
  }

  #pipeline(pipeline: syntax.PipelineNode, feeds: boolean): void {
    const last = pipeline.commands.length - 1;
    pipeline.commands.forEach((command, at) => {
      if (at === last) this.#direct(command, feeds && at === 0);
      else if (pipeline.pipeStderr?.[at] !== true && 'redirections' in command && command.type !== 'FunctionDef') {
        command.redirections.unshift(redirection(2, '>>', this.#channels.stderr));
      }
    });
  }

  /** A command whose output is the process's. */
  #direct(command: syntax.CommandNode, feeds: boolean): void {
    if (command.type === 'FunctionDef') return;
    if (command.type === 'SimpleCommand') {
      this.#simple(command, feeds);
    } else if (command.redirections.length > 0 || bodiesOf(command).length === 0) {
      this.#toSinks(command.redirections);
    } else {
      for (const body of bodiesOf(command)) this.statements(body, feeds);
      if ('body' in command && LOOPS.has(command.type)) command.body.unshift(breath());
    }
  }

  #simple(command: syntax.SimpleCommandNode, feeds: boolean): void {
    const name = literal(command.name);
    if (name === 'wait') command.name = word(WAIT_COMMAND);
    if (command.name === null || (name !== undefined && SILENT.has(name))) return;
    const streaming = streamingOf(command.redirections);
    const hasInput = command.redirections.some(({ operator }) => operator.startsWith('<'));
    if (name !== undefined && STREAMING.has(name) && streaming !== undefined)
      command.assignments.push(assignment(STREAMS_VARIABLE, streaming));
    if (name === 'read' && feeds && !hasInput && this.#channels.line !== undefined) {
      command.redirections.unshift(redirection(null, '<', this.#channels.line));
    }
    this.#toSinks(command.redirections);
  }

  /** Before the script's own redirections, so that `2>&1` and the like still mean what they say. */
  #toSinks(redirections: syntax.RedirectionNode[]): void {
    for (const { target } of redirections) this.#device(target);
    redirections.unshift(redirection(null, '>>', this.#channels.stdout), redirection(2, '>>', this.#channels.stderr));
  }

  #device(target: syntax.RedirectionNode['target']): void {
    if (target.type !== 'Word') return;
    const path = literal(target);
    if (path === '/dev/stdout') target.parts = word(this.#channels.stdout).parts;
    if (path === '/dev/stderr') target.parts = word(this.#channels.stderr).parts;
  }

  #job(statement: Statement): void {
    const job: Statement = { ...statement, background: false };
    const source = statement.sourceText?.replace(/&\s*$/, '') ?? this.#serialize({ type: 'Script', statements: [job] });
    const start = simpleCommand(JOB_COMMAND, [{ type: 'Word', parts: [{ type: 'SingleQuoted', value: source }] }]);
    statement.background = false;
    statement.operators = [];
    statement.pipelines = [{ type: 'Pipeline', commands: [start], negated: false }];
  }
}

/** The statements inside a compound command. */
function bodiesOf(command: Exclude<syntax.CommandNode, { type: 'SimpleCommand' | 'FunctionDef' }>): Statement[][] {
  switch (command.type) {
    case 'If':
      return [...command.clauses.flatMap(({ condition, body }) => [condition, body]), command.elseBody ?? []];
    case 'While':
    case 'Until':
      return [command.condition, command.body];
    case 'Case':
      return command.items.map(item => item.body);
    case 'For':
    case 'CStyleFor':
    case 'Group':
    case 'Subshell':
      return [command.body];
    default:
      return [];
  }
}

/** Undefined: something else takes its output. */
function streamingOf(redirections: readonly syntax.RedirectionNode[]): Streaming | undefined {
  const [only, ...more] = redirections.filter(({ operator }) => isOutput(operator));
  if (only === undefined) return 'both';
  const target = only.target.type === 'Word' ? literal(only.target) : undefined;
  if (more.length > 0 || only.fd !== 2) return undefined;
  if (only.operator === '>&' && target === '1') return 'merged';
  return target === '/dev/null' ? 'stdout' : undefined;
}

function isOutput(operator: string): boolean {
  return operator.includes('>');
}

const LOOPS = new Set(['While', 'Until', 'For', 'CStyleFor']);

function breath(): Statement {
  const pipeline: syntax.PipelineNode = { type: 'Pipeline', commands: [simpleCommand(BREATH_COMMAND)], negated: false };
  return { type: 'Statement', pipelines: [pipeline], operators: [], background: false };
}

const simpleCommand = (name: string, args: Word[] = []): syntax.SimpleCommandNode => ({
  type: 'SimpleCommand',
  assignments: [],
  name: word(name),
  args,
  redirections: [],
});

function literal(node: Word | null): string | undefined {
  const [part, ...rest] = node?.parts ?? [];
  return part?.type === 'Literal' && rest.length === 0 ? part.value : undefined;
}

function word(value: string): Word {
  return { type: 'Word', parts: [{ type: 'Literal', value }] };
}

function assignment(name: string, value: string): syntax.AssignmentNode {
  return { type: 'Assignment', name, value: word(value), append: false, array: null };
}

function redirection(fd: number | null, operator: '<' | '>>', path: string): syntax.RedirectionNode {
  return { type: 'Redirection', fd, operator, target: word(path) };
}
