// Entry point of a worker thread: owns instances, has at most one run, and carries out the scheduler's messages.
import { setImmediate } from 'node:timers';
import { parentPort, workerData } from 'node:worker_threads';
import { utf8Of } from '../../ground/json-text.ts';
import { ownThreadId } from '../../ground/thread-time.ts';
import type { TapeStart } from '../engine.ts';
import { type Emission, type End, type Meter, newMeter } from '../intake.ts';
import { tapedFrom } from '../taped.ts';
import { noteDiscarded } from './collect.ts';
import { GuestRun, type RunHost } from './guest-run.ts';
import type { Image } from './image.ts';
import { Instance } from './instance.ts';
import type { CodeReader, FromWorker, ToWorker, WorkerData } from './messages.ts';

const { module, control, reader } = workerData as WorkerData;
const shared = new Int32Array(control);
const threadId = ownThreadId();
const images = new Map<number, Image>();
/** Instances by image. A missing one is created when it is needed. */
const instances = new Map<number, { instance: Instance; dirty: boolean }>();
let resident: { readonly run: GuestRun; readonly imageId: number } | undefined;

if (parentPort === null) throw new Error('worker.ts runs as a worker thread');
const port = parentPort;
const post = (message: FromWorker, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);

const host: RunHost = {
  threadId,
  stopRequested: () => Atomics.load(shared, 0) !== 0,
  // Without a thread id, CPU time cannot be measured per thread, and the wait would count as work.
  giveWay: maxMs => threadId !== 0 && Atomics.wait(shared, 2, 1, maxMs) !== 'not-equal',
  flush(run, all) {
    const { emissions, moved } = packed(all);
    post({ type: 'emissions', runId: run.id, emissions }, moved);
  },
};

/** Longer arguments of calls are passed on as bytes, which the main thread decodes when it is the run's turn. */
const LONG_ARGS_CHARS = 32_768;

/** `moved`: the memory of displayed blocks and of long arguments, which is passed on without a copy. */
function packed(emissions: readonly Emission[]): { emissions: readonly Emission[]; moved: ArrayBuffer[] } {
  const moved: ArrayBuffer[] = [];
  const pack = (emission: Emission): Emission => {
    if (emission.kind === 'display' && emission.display.kind === 'blob') moved.push(emission.display.base64.buffer);
    if (emission.kind !== 'call' || emission.argsJson.length <= LONG_ARGS_CHARS) return emission;
    const argsJson = utf8Of(emission.argsJson);
    moved.push(argsJson.buffer);
    return { ...emission, argsJson };
  };
  return { emissions: emissions.map(pack), moved };
}

function newInstance(imageId: number): Instance {
  const image = images.get(imageId);
  if (image === undefined) throw new Error(`image ${imageId} is not here`);
  return new Instance(module, image, {
    interrupt: () => resident?.run.interrupt() ?? false,
    now: () => resident?.run.now() ?? Date.now(),
    send: (kind, id, payload) => resident?.run.receive(kind, id, payload),
  });
}

function cleanInstance(imageId: number): Instance {
  const kept = instances.get(imageId);
  if (kept?.dirty) kept.instance.reset();
  const instance = kept?.instance ?? newInstance(imageId);
  instances.set(imageId, { instance, dirty: true });
  return instance;
}

/** Prepares the instance for the next run, after the result of this one was posted. */
function recycle(imageId: number, { instance, trapped }: GuestRun): void {
  const discarded = trapped || instance.grown;
  if (discarded) instances.delete(imageId);
  setImmediate(() => {
    if (discarded) noteDiscarded();
    if (resident !== undefined || !images.has(imageId)) return;
    const kept = instances.get(imageId);
    if (kept === undefined) instances.set(imageId, { instance: newInstance(imageId), dirty: false });
    else if (kept.dirty) {
      kept.instance.reset();
      kept.dirty = false;
    }
  });
}

function report(run: GuestRun, end: End | undefined): void {
  const { emissions, moved } = packed(run.takeEmissions());
  const { cpuMs } = run.meter;
  if (end === undefined) {
    post({ type: 'waiting', runId: run.id, emissions, cpuMs }, moved);
    return;
  }
  post({ type: 'ended', runId: run.id, emissions, cpuMs, end }, moved);
  release();
}

function release(): void {
  if (resident === undefined) return;
  const { imageId, run } = resident;
  resident = undefined;
  recycle(imageId, run);
}

function park(): void {
  if (resident === undefined) return;
  const { run, imageId } = resident;
  resident = undefined;
  const parked = run.instance.park();
  if (run.instance.grown) {
    instances.delete(imageId);
    noteDiscarded();
  } else instances.set(imageId, { instance: run.instance, dirty: false });
  post({ type: 'parked', runId: run.id, parked, meter: run.meter }, [parked.pages.buffer]);
}

/** Returns undefined until the reader is loaded: a worker does not wait for it at its start. */
let readCode: CodeReader['readCode'] = () => undefined;
if (reader !== undefined)
  void import(reader).then((loaded: CodeReader) => {
    readCode = loaded.readCode;
  });

const meterFor = (tape: TapeStart | undefined): Meter => newMeter(tape && tapedFrom(tape));

function begin({ runId, imageId, limits, begin }: Extract<ToWorker, { type: 'run' }>): void {
  park();
  const instance = cleanInstance(imageId);
  Atomics.add(shared, 1, 1);
  const meter = 'parked' in begin ? begin.meter : meterFor(begin.tape);
  const run = new GuestRun(runId, instance, limits, host, meter);
  resident = { run, imageId };
  if ('parked' in begin) {
    instance.load(begin.parked);
    report(run, run.settle(begin.settlements));
  } else {
    const { source, asWritten } = begin;
    report(
      run,
      run.start(() => (asWritten ? readCode(source) : source)),
    );
  }
}

port.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'image':
      images.set(message.imageId, message.image);
      return;
    case 'forget':
      images.delete(message.imageId);
      instances.delete(message.imageId);
      return;
    case 'run':
      begin(message);
      return;
    case 'settle':
      Atomics.add(shared, 1, 1);
      if (resident?.run.id === message.runId) report(resident.run, resident.run.settle(message.settlements));
      return;
    case 'drop':
      if (resident?.run.id === message.runId) release();
      return;
  }
});

post({ type: 'ready', threadId });
