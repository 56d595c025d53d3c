// One run in its own sandbox: creates the sandbox, uploads and starts the runner, enforces the deadlines, and resolves the
// outcome once. The outcome does not wait for the sandbox to be killed.
import { randomUUID } from 'node:crypto';
import { sdkOptions } from '../../e2b/connection.ts';
import { accessOf, daemonOrigin, openHandle } from '../../e2b/handle.ts';
import { CommandExitError, type CommandHandle, type Sandbox } from '../../e2b/sdk.ts';
import type { Wire, WireFactory } from '../../e2b/wire.ts';
import { ERRORS, type ErrorCode, toGatewayError } from '../../errors.ts';
import type { HostTurns } from '../../ground/host-turns.ts';
import type { Job, Outcome, TapeEnd } from '../engine.ts';
import type { End } from '../intake.ts';
import { guestLimits, MAX_CROSSINGS } from '../protocol.ts';
import { gatewayFault, limitDetail, TOO_MUCH_HELD, Transcript } from '../transcript.ts';
import { startCommand } from './bootstrap.ts';
import { Conversation, type PayloadChecks } from './conversation.ts';
import { createSandbox } from './creation.ts';
import type { Account, Disposal, EngineLog } from './disposal.ts';
import { maxFileBytes, writePayload } from './files.ts';
import { type PackedRunner, runFile } from './pack.ts';
import type { RunnerJob } from './runner/job.ts';
import { startFailureOf } from './start-failure.ts';
import { EXIT, FILES } from './wire.ts';

export type RunParts = {
  readonly pack: PackedRunner;
  readonly account: Account;
  readonly template: string;
  /** Timeout from the creation of the sandbox to the first line of the agent's code, waits for E2B's limits included. */
  readonly startTimeoutMs: number;
  /** How much longer than its run a sandbox may exist if the gateway dies. */
  readonly graceMs: number;
  readonly disposal: Disposal;
  readonly turns: HostTurns;
  readonly checks: PayloadChecks;
  /** Creates the connections to the sandbox; no others are used after its creation. */
  readonly wires: WireFactory;
  /** Registers the sandbox as a runner; the returned function kills it in the background. */
  readonly own: (sandboxId: string) => () => void;
  readonly log: EngineLog;
};

const MAX_STDERR_CHARS = 4_000;
/** Maximum size of the output stream: what stdout.ts accepts, in base64 with framing. */
const MAX_STREAM_BYTES = 16_000_000;
/** Limits for the sandbox's responses to uploads and to writes to stdin. */
const ANSWER_JSON = { maxBytes: 100_000, maxValues: 1_000, maxKeys: 1_000, maxDepth: 16, maxKeyBytes: 1_000 };
/** Maximum size of one message of the output stream; sandboxes send about ten kilobytes in one. */
const MAX_MESSAGE_BYTES = 1_000_000;
/** Timeout of other requests, e.g. the upload; the run has deadlines of its own. */
const REQUEST_TIMEOUT_MS = 60_000;
export class Run {
  readonly #id = randomUUID();
  readonly #job: Job;
  readonly #parts: RunParts;
  readonly #transcript: Transcript;
  /** Aborted when the run is over. */
  readonly #over = new AbortController();
  readonly #resolve: (outcome: Outcome) => void;
  readonly outcome: Promise<Outcome>;
  #deadline: NodeJS.Timeout | undefined;
  #wire: Wire | undefined;
  #handle: CommandHandle | undefined;
  #conversation: Conversation | undefined;
  readonly #queuedAt = performance.now();
  #startedAt: number | undefined;
  #stderr = '';

  constructor(job: Job, parts: RunParts) {
    this.#job = job;
    this.#parts = parts;
    this.#transcript = new Transcript(job);
    let resolve: (outcome: Outcome) => void = () => undefined;
    this.outcome = new Promise(settle => {
      resolve = settle;
    });
    this.#resolve = resolve;
  }

  get started(): boolean {
    return this.#startedAt !== undefined;
  }

  start(): void {
    const { signal } = this.#job;
    const cancel = (): void => this.fail('cancelled');
    signal.addEventListener('abort', cancel, { once: true });
    this.#over.signal.addEventListener('abort', () => signal.removeEventListener('abort', cancel), { once: true });
    if (signal.aborted) {
      cancel();
      return;
    }
    this.#deadline = setTimeout(() => this.fail('engine_start_timeout'), this.#parts.startTimeoutMs);
    void this.#parts.disposal.track(this.#create());
  }

  fail(code: ErrorCode, detail = limitDetail(code, this.#job.limits), retryAfterMs?: number): void {
    this.#answer(() => this.#transcript.failed(gatewayFault(code, detail, retryAfterMs), this.#cpuMs));
  }

  #interrupt(why: TapeEnd): void {
    if (why === 'suspended') this.#answer(() => this.#transcript.suspended(this.#cpuMs));
    else this.fail(why);
  }

  get #cpuMs(): number {
    return this.#conversation?.cpuMs ?? 0;
  }

  #finish(end: End): void {
    this.#answer(() => this.#transcript.outcomeOf(end, this.#cpuMs));
  }

  #answer(outcome: () => Outcome): void {
    if (this.#over.signal.aborted) return;
    clearTimeout(this.#deadline);
    this.#over.abort();
    this.#job.tape?.close();
    void this.#handle?.disconnect();
    const queuedMs = this.#startedAt === undefined ? undefined : this.#startedAt - this.#queuedAt;
    this.#resolve(queuedMs === undefined ? outcome() : { ...outcome(), queuedMs });
  }

  // Starting the run in a sandbox.

  async #create(): Promise<void> {
    const { account, template, startTimeoutMs, graceMs, disposal, own } = this.#parts;
    const { signal } = this.#over;
    let sandbox: Sandbox;
    try {
      sandbox = await createSandbox(
        this.#id,
        account,
        {
          template,
          lifeMs: startTimeoutMs + this.#job.limits.wallMs + graceMs,
          deadlineAt: performance.now() + startTimeoutMs,
          signal,
        },
        disposal,
      );
    } catch (caught) {
      const { code, message, retryAfterMs, cause } = toGatewayError(caught);
      this.#parts.log(`the sandbox of a run could not be created: ${code}`, cause);
      return this.fail(code, message, retryAfterMs);
    }
    const dispose = own(sandbox.sandboxId);
    if (signal.aborted) return dispose();
    signal.addEventListener('abort', dispose, { once: true });
    await this.#launch(this.#onWire(sandbox)).catch((caught: unknown) => this.#onLost(caught));
  }

  /** Replaces the SDK's own connection, which follows redirects and reads without limits, by one with limits. */
  #onWire(made: Sandbox): Sandbox {
    const { account, wires, turns } = this.#parts;
    const { signal } = this.#over;
    const sdk = sdkOptions(account.e2b, { apiKey: account.apiKey, signal, timeoutMs: REQUEST_TIMEOUT_MS });
    const access = accessOf(made);
    const owner = { principalId: this.#job.principal.id, name: 'output of a microVM', paced: true } as const;
    this.#wire = wires.open({
      origin: daemonOrigin(access, sdk),
      principalId: this.#job.principal.id,
      signal,
      maxAnswerBytes: Math.max(MAX_STREAM_BYTES, maxFileBytes(this.#job.limits)),
      maxMessageBytes: MAX_MESSAGE_BYTES,
      json: ANSWER_JSON,
      turn: () => turns.pass(owner, ms => this.#conversation?.spend(ms)),
    });
    return openHandle(access, sdk, this.#wire);
  }

  /** Starts the command and the upload at the same time; the bootstrap waits for the file. */
  async #launch(sandbox: Sandbox): Promise<void> {
    const folder = `/tmp/code-mode-${this.#id}`;
    const file = runFile(this.#parts.pack, this.#runnerJob());
    const { signal } = this.#over;
    const conversation = this.#converse(sandbox, folder);
    const command = sandbox.commands.run(startCommand(folder, file.length), {
      background: true,
      stdin: true,
      timeoutMs: 0,
      signal,
      cwd: '/tmp',
      // Makes the time zone UTC and the default locale en-US, whatever the template has set.
      envs: { TZ: 'UTC', LC_ALL: 'C' },
      onStdout: text => conversation.onStdout(text),
      onStderr: text => this.#onStderr(text, conversation),
    });
    const upload = writePayload(sandbox, `${folder}/${FILES.run}`, file, signal);
    const [handle] = await Promise.all([command, upload]);
    this.#handle = handle;
    if (signal.aborted) return void handle.disconnect();
    conversation.openStdin(handle);
    await handle.wait();
    throw new Error('the runner exited without a result');
  }

  #converse(sandbox: Sandbox, folder: string): Conversation {
    this.#conversation = new Conversation({
      job: this.#job,
      transcript: this.#transcript,
      sandbox,
      folder,
      turns: this.#parts.turns,
      checks: this.#parts.checks,
      signal: this.#over.signal,
      onStarted: () => this.#onStarted(),
      onEnd: end => this.#finish(end),
      onOverCpu: () => this.fail('cpu_exceeded'),
      onTapeEnd: why => this.#interrupt(why),
      onNoMemory: () => this.fail('result_too_large', TOO_MUCH_HELD),
      onLost: caught => this.#onLost(caught),
    });
    return this.#conversation;
  }

  #runnerJob(): RunnerJob {
    const { source, limits, tape } = this.#job;
    return {
      source,
      limitsJson: JSON.stringify(guestLimits(limits)),
      cpuMs: limits.cpuMs,
      memoryBytes: limits.memoryBytes,
      maxCrossings: MAX_CROSSINGS,
      ...(tape && { tape: tape.start }),
    };
  }

  // Output of the sandbox.

  /** Keeps the end of stderr, for the log only. */
  #onStderr(text: string, conversation: Conversation): void {
    try {
      conversation.countOther(text);
      this.#stderr = (this.#stderr + text).slice(-MAX_STDERR_CHARS);
    } catch (caught) {
      this.#onLost(caught);
    }
  }

  #onStarted(): void {
    if (this.started) return;
    this.#startedAt = performance.now();
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.fail('time_exceeded'), this.#job.limits.wallMs);
  }

  // The connection failed, or the command ended without an end message.

  #onLost(caught: unknown): void {
    if (this.#over.signal.aborted) return;
    const exitCode = exitCodeOf(caught);
    this.#parts.log(
      `the sandbox of a run was lost (exit ${exitCode ?? 'unknown'}): ${this.#stderr.slice(-500)}`,
      this.#wire?.fault ?? caught,
    );
    if (this.started) {
      const outOfMemory = exitCode === EXIT.aborted || exitCode === EXIT.killed;
      this.#finish(outOfMemory ? { reason: 'memory' } : { reason: 'crashed', detail: 'the sandbox was lost' });
      return;
    }
    const fault = templateFault(exitCode);
    if (fault === undefined) this.fail('engine_unavailable', undefined, startFailureOf(caught).error.retryAfterMs);
    else
      this.fail(
        'engine_template_invalid',
        `${ERRORS.engine_template_invalid.message} "${this.#parts.template}" ${fault}.`,
      );
  }
}

function templateFault(exitCode: number | undefined): string | undefined {
  if (exitCode === EXIT.noNode || exitCode === EXIT.cannotRun) return 'has no Node';
  if (exitCode === EXIT.oldNode) return 'has an older one';
  return exitCode === undefined ? undefined : `ends its Node with exit code ${exitCode} before the code starts`;
}

/** The exit code, for a process that a signal ended as in a shell: 128 plus the number of the signal. */
function exitCodeOf(caught: unknown): number | undefined {
  if (!(caught instanceof CommandExitError)) return undefined;
  const { exitCode, error = '' } = caught;
  if (exitCode !== -1) return exitCode;
  if (/abort/i.test(error)) return EXIT.aborted;
  return /kill/i.test(error) ? EXIT.killed : exitCode;
}
