// Prepares a parsed shell script to run as a process: just-bash hands over all output at the end and has no background
// jobs, a process streams and has both. So commands whose output nothing in the script takes are redirected to the
// process's sinks, `read` to its input, and `… &` becomes a job. Pure: one syntax tree in, changed in place.
import {
  type CommandNode,
  type PipelineNode,
  parse,
  type ScriptNode,
  type SimpleCommandNode,
  type StatementNode,
  serialize,
  type WordNode,
} from 'just-bash';

type Redirection = SimpleCommandNode['redirections'][number];
type Assignment = SimpleCommandNode['assignments'][number];

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

export function prepareScript(script: ScriptNode, channels: Channels): void {
  for (const node of nodesOf(script)) {
    if (node.type === 'ParameterExpansion' && node.parameter === '!') node.parameter = LAST_JOB_VARIABLE;
  }
  widenRanges(script);
  prepareStatements(script.statements, channels, true);
}

/** `feeds`: they read the process's own input. */
function prepareStatements(statements: readonly StatementNode[], channels: Channels, feeds: boolean): void {
  for (const statement of statements) {
    if (statement.background) becomeJob(statement);
    else
      for (const { commands, pipeStderr } of statement.pipelines) {
        commands.forEach((command, at) => {
          if (at === commands.length - 1) direct(command, channels, feeds && at === 0);
          else if (pipeStderr?.[at] !== true && 'redirections' in command && command.type !== 'FunctionDef') {
            command.redirections.unshift(redirection(2, '>>', channels.stderr));
          }
        });
      }
  }
}

/** A command whose output is the process's. */
function direct(command: CommandNode, channels: Channels, feeds: boolean): void {
  if (command.type === 'FunctionDef') return;
  if (command.type === 'SimpleCommand') directSimple(command, channels, feeds);
  else if (command.redirections.length > 0 || bodiesOf(command).length === 0) toSinks(command.redirections, channels);
  else {
    for (const body of bodiesOf(command)) prepareStatements(body, channels, feeds);
    if ('body' in command && LOOPS.has(command.type)) command.body.unshift(breath());
  }
}

function directSimple(command: SimpleCommandNode, channels: Channels, feeds: boolean): void {
  const name = literal(command.name);
  if (name === 'wait') command.name = word(WAIT_COMMAND);
  if (command.name === null || (name !== undefined && SILENT.has(name))) return;
  const streaming = streamingOf(command.redirections);
  const hasInput = command.redirections.some(({ operator }) => operator.startsWith('<'));
  if (name !== undefined && STREAMING.has(name) && streaming !== undefined)
    command.assignments.push(assignment(STREAMS_VARIABLE, streaming));
  if (name === 'read' && feeds && !hasInput && channels.line !== undefined) {
    command.redirections.unshift(redirection(null, '<', channels.line));
  }
  toSinks(command.redirections, channels);
}

/** Before the script's own redirections, so that `2>&1` and the like still mean what they say. */
function toSinks(redirections: Redirection[], { stdout, stderr }: Channels): void {
  for (const { target } of redirections) {
    const path = target.type === 'Word' ? literal(target) : undefined;
    if (target.type === 'Word' && path === '/dev/stdout') target.parts = word(stdout).parts;
    if (target.type === 'Word' && path === '/dev/stderr') target.parts = word(stderr).parts;
  }
  redirections.unshift(redirection(null, '>>', stdout), redirection(2, '>>', stderr));
}

function becomeJob(statement: StatementNode): void {
  const job: StatementNode = { ...statement, background: false };
  const source = statement.sourceText?.replace(/&\s*$/, '') ?? serialize({ type: 'Script', statements: [job] });
  const start = simpleCommand(JOB_COMMAND, [{ type: 'Word', parts: [{ type: 'SingleQuoted', value: source }] }]);
  statement.background = false;
  statement.operators = [];
  statement.pipelines = [{ type: 'Pipeline', commands: [start], negated: false }];
}

/** The statements inside a compound command. */
function bodiesOf(command: Exclude<CommandNode, { type: 'SimpleCommand' | 'FunctionDef' }>): StatementNode[][] {
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
function streamingOf(redirections: readonly Redirection[]): Streaming | undefined {
  const [only, ...more] = redirections.filter(({ operator }) => operator.includes('>'));
  if (only === undefined) return 'both';
  const target = only.target.type === 'Word' ? literal(only.target) : undefined;
  if (more.length > 0 || only.fd !== 2) return undefined;
  if (only.operator === '>&' && target === '1') return 'merged';
  return target === '/dev/null' ? 'stdout' : undefined;
}

const LOOPS = new Set(['While', 'Until', 'For', 'CStyleFor']);

function breath(): StatementNode {
  const pipeline: PipelineNode = { type: 'Pipeline', commands: [simpleCommand(BREATH_COMMAND)], negated: false };
  return { type: 'Statement', pipelines: [pipeline], operators: [], background: false };
}

const simpleCommand = (name: string, args: WordNode[] = []): SimpleCommandNode => ({
  type: 'SimpleCommand',
  assignments: [],
  name: word(name),
  args,
  redirections: [],
});

function literal(node: WordNode | null): string | undefined {
  const [part, ...rest] = node?.parts ?? [];
  return part?.type === 'Literal' && rest.length === 0 ? part.value : undefined;
}

function word(value: string): WordNode {
  return { type: 'Word', parts: [{ type: 'Literal', value }] };
}

function assignment(name: string, value: string): Assignment {
  return { type: 'Assignment', name, value: word(value), append: false, array: null };
}

function redirection(fd: number | null, operator: '<' | '>>', path: string): Redirection {
  return { type: 'Redirection', fd, operator, target: word(path) };
}

const MAX_EXPANDED = 10_000;

/**
 * Brace ranges longer than just-bash expands: it stops at its limit without a word. Those that stand alone become
 * `seq`, which has no such limit; the others are refused.
 */
function widenRanges(tree: unknown): void {
  for (const node of nodesOf(tree)) {
    if (node.type !== 'Word' || !Array.isArray(node.parts)) continue;
    const ranges = node.parts.map(longRange);
    const [range] = ranges;
    if (range !== undefined && ranges.length === 1) node.parts = seqParts(range);
    else if (ranges.some(each => each !== undefined)) {
      throw new Error(`a brace range in a word gives at most ${MAX_EXPANDED} words in local mode: use seq`);
    }
  }
}

type Range = { readonly start: number; readonly end: number; readonly step: number };

function longRange(part: unknown): Range | undefined {
  if (typeof part !== 'object' || part === null || !('items' in part) || !Array.isArray(part.items)) return undefined;
  for (const item of part.items as { type?: unknown; start?: unknown; end?: unknown; step?: unknown }[]) {
    const { type, start, end, step } = item;
    if (type !== 'Range' || typeof start !== 'number' || typeof end !== 'number') continue;
    const by = Math.abs(typeof step === 'number' && step !== 0 ? step : 1);
    if (Math.abs(end - start) / by >= MAX_EXPANDED) return { start, end, step: end < start ? -by : by };
  }
  return undefined;
}

function seqParts({ start, end, step }: Range): unknown {
  const [statement] = parse(`x $(seq ${start} ${step} ${end})`).statements;
  const [command] = statement?.pipelines[0]?.commands ?? [];
  return command?.type === 'SimpleCommand' ? command.args[0]?.parts : [];
}

/** The node and all nodes inside it. A node's own are looked at after it was given out: it may be changed. */
function* nodesOf(tree: unknown): Generator<Record<string, unknown>> {
  if (typeof tree !== 'object' || tree === null) return;
  if ('type' in tree) yield tree as Record<string, unknown>;
  for (const inner of Object.values(tree)) yield* nodesOf(inner);
}

const BOTH = String.raw`exec > >\((?:[^()]*; )?exec tee -a (\S+)\) 2> >\((?:[^()]*; )?exec tee -a \1 >&2\)`;
const COPIED = new RegExp(`^(?:command -v tee >/dev/null && )?${BOTH}; exec /bin/bash -l -c '(.*)'$`, 's');

/**
 * Output that goes to a file as well, as a script asks for it that begins with `exec > >(tee -a FILE) 2> >(tee -a FILE
 * >&2)` and then puts a shell in its own place. just-bash runs process substitutions only once the script has ended, so
 * this one form is taken out of the script.
 */
export function withoutCopy(script: string): { readonly source: string; readonly copyTo?: string } {
  const [, copyTo, quoted] = COPIED.exec(script) ?? [];
  if (copyTo === undefined || quoted === undefined) return { source: script };
  return { source: quoted.replaceAll(`'\\''`, "'"), copyTo };
}
