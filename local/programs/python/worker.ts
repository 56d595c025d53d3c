// A Python interpreter in a worker thread: CPython as WebAssembly (the one just-bash brings), which has no way out but
// the file system and the device given here; in particular none to JavaScript. Its build bounds memory at 512 MB. Ends
// by being terminated, or when its program does.
import { readFileSync } from 'node:fs';
import nodeModule, { createRequire } from 'node:module';
import { workerData } from 'node:worker_threads';
import { builtFile } from '../../../src/ground/built.ts';
import type { Failure } from '../../machine/failure.ts';
import { type WasmInstance, type WasmModule, webAssembly } from '../interpreters.ts';
import { answerText, hostCaller, type WorkerStart } from '../protocol.ts';
import { type EmscriptenFs, showSandbox } from './sandbox-fs.ts';

export type PythonStart = WorkerStart & {
  readonly loader: string;
  readonly wasm: WasmModule;
  readonly stdlib: SharedArrayBuffer;
};

type Python = {
  FS: EmscriptenFs;
  ENV: Record<string, string>;
  callMain(args: string[]): number;
  _Py_EMSCRIPTEN_SIGNAL_HANDLING: number;
  Py_EmscriptenSignalBuffer: Uint8Array;
};
type Options = Record<string, unknown> & { preRun: ((module: Python) => void)[] };

/** Python has /lib, /dev and /proc of its own: the sandbox's are not seen from inside. */
const LIBRARY = '/lib/python313.zip';
const SITE_DIRECTORY = '/lib/site';
/** Python's own start, and the loop of a code context. */
const SITE = ['sitecustomize.py', 'local_subprocess.py', 'local_network.py', 'local_kernel.py'].map(name => ({
  name,
  bytes: readFileSync(builtFile(`local/programs/python/${name}`)),
}));
const CONSOLE_MAJOR = 70;

const start = workerData as PythonStart;
const call = hostCaller(start);

async function main(): Promise<void> {
  let instance: WasmInstance | undefined;
  const createPython = createRequire(import.meta.url)(start.loader) as (options: Options) => Promise<Python>;
  const python = await createPython({
    noInitialRun: true,
    thisProgram: '/usr/local/bin/python3',
    print: () => {},
    printErr: () => {},
    instantiateWasm(imports: object, done: (instance: WasmInstance, module: WasmModule) => void) {
      void webAssembly.instantiate(start.wasm, imports).then(made => {
        instance = made;
        done(made, start.wasm);
      });
      return {};
    },
    preRun: [prepare],
  });
  python.Py_EmscriptenSignalBuffer = new Uint8Array(start.signals);
  if (instance !== undefined) {
    new Uint8Array(instance.exports.memory.buffer)[python._Py_EMSCRIPTEN_SIGNAL_HANDLING] = 1;
  }
  console(python.FS, showSandbox(python.FS, call));
  closeModules();
  python.FS.chdir(start.cwd);
  process.exitCode = exitCode(python);
}

/**
 * Emscripten's system() and sockets load Node's modules when first used (`posix.system` would start a process of the
 * host's). From here on nothing is loaded in this thread; what randomness needs was before.
 */
function closeModules(): void {
  const loader = nodeModule as unknown as { _load: (name: string) => unknown };
  const load = loader._load;
  loader._load = name => {
    if (name === 'crypto' || name === 'node:crypto') return load(name);
    throw new Error('not in this sandbox');
  };
  for (const name of ['WebSocket', 'fetch', 'XMLHttpRequest', 'EventSource']) Reflect.deleteProperty(globalThis, name);
}

function exitCode(python: Python): number {
  try {
    const code = python.callMain([...(start.args ?? [`${SITE_DIRECTORY}/local_kernel.py`])]);
    return typeof code === 'number' ? code : 0;
  } catch (caught) {
    const status = (caught as { status?: unknown }).status;
    if (typeof status === 'number') return status;
    call('output', {
      kind: 'stderr',
      bytes: Buffer.from(`python3: ${caught instanceof Error ? caught.message : 'crashed'}\n`),
    });
    return 139;
  }
}

function prepare({ FS, ENV }: Python): void {
  FS.mkdirTree(SITE_DIRECTORY);
  FS.writeFile(LIBRARY, new Uint8Array(start.stdlib));
  for (const { name, bytes } of SITE) FS.writeFile(`${SITE_DIRECTORY}/${name}`, bytes);
  const { PYTHONPATH: more, ...env } = start.env;
  Object.assign(ENV, env, {
    PYTHONHOME: '/',
    PYTHONPATH: [LIBRARY, SITE_DIRECTORY, ...(more === undefined ? [] : [more])].join(':'),
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONUTF8: '1',
  });
}

/** stdin, stdout and stderr, and /dev/host: a line of JSON in, a line of JSON out. */
function console(FS: EmscriptenFs, syncAll: () => void): void {
  const device = (minor: number, path: string, ops: object): void => {
    const dev = FS.makedev(CONSOLE_MAJOR, minor);
    FS.registerDevice(dev, { open() {}, close() {}, llseek: () => fail(FS, 70), ...ops });
    FS.mkdev(path, 0o666, dev);
  };
  const output = (kind: 'stdout' | 'stderr') => ({
    write(_stream: object, buffer: Uint8Array, offset: number, length: number) {
      // Emscripten hands over its memory, as signed bytes.
      const bytes = Uint8Array.from(new Uint8Array(buffer.buffer, buffer.byteOffset + offset, length));
      interruptible(FS, () => call('output', { kind, bytes }));
      return length;
    },
  });
  device(1, '/dev/local-stdin', { read: reader(() => interruptible(FS, () => call('stdin', {}))) });
  device(2, '/dev/local-stdout', output('stdout'));
  device(3, '/dev/local-stderr', output('stderr'));
  device(4, '/dev/host', hostDevice(syncAll));
  for (const [fd, path] of ['/dev/local-stdin', '/dev/local-stdout', '/dev/local-stderr'].entries()) {
    const stream = FS.getStream(fd);
    if (stream !== null) FS.close(stream);
    FS.open(path, fd === 0 ? 'r' : 'w');
  }
}

/** Bytes that come in pieces of any size, read in pieces of any other. */
function reader(next: () => Uint8Array | null) {
  let rest = new Uint8Array(0);
  return (_stream: object, buffer: Uint8Array, offset: number, length: number): number => {
    if (rest.length === 0) rest = Uint8Array.from(next() ?? []);
    const part = rest.subarray(0, length);
    buffer.set(part, offset);
    rest = rest.subarray(part.length);
    return part.length;
  };
}

/** A call is one write. */
function hostDevice(syncAll: () => void) {
  let answer: Uint8Array | null = null;
  return {
    write(_stream: object, buffer: Uint8Array, offset: number, length: number): number {
      syncAll();
      const request = Buffer.from(buffer.subarray(offset, offset + length)).toString('latin1');
      answer = Buffer.from(`${answerText(request, call as (op: string, args: object) => unknown)}\n`);
      return length;
    },
    read: reader(() => {
      const whole = answer;
      answer = null;
      return whole;
    }),
  };
}

function interruptible<T>(FS: EmscriptenFs, work: () => T): T {
  try {
    return work();
  } catch (caught) {
    // The signal is in its buffer: the interpreter sees it when the call returns with EINTR.
    return fail(FS, (caught as Failure).code === 'interrupted' ? 27 : 29);
  }
}

function fail(FS: EmscriptenFs, errno: number): never {
  throw new FS.ErrnoError(errno);
}

await main();
