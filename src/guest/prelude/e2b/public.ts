// The exports of E2B's SDK beside Sandbox: error classes for `instanceof`, enums and constants. Exports that are not
// offered here are defined too, and using one throws an error that says what to do instead.

import { byName } from '../../by-name.ts';

type ErrorClass = new (message?: string) => Error;

/** Error classes, each with those that extend it. */
const FAMILIES = [
  ['Error', 'SandboxError AuthenticationError BuildError SecretError VolumeError'],
  ['SandboxError', 'TimeoutError InvalidArgumentError NotEnoughSpaceError NotFoundError RateLimitError'],
  ['SandboxError', 'ServiceBusyError TemplateError GitUpstreamError'],
  ['NotFoundError', 'FileNotFoundError SandboxNotFoundError'],
  ['AuthenticationError', 'GitAuthError'],
  ['BuildError', 'FileUploadError'],
  ['SecretError', 'SecretNotFoundError'],
  ['VolumeError', 'VolumeNotFoundError VolumePathNotFoundError'],
] as const;

export const ERRORS: Record<string, ErrorClass> = {};
for (const [base, names] of FAMILIES)
  for (const name of names.split(' ')) ERRORS[name] = class extends (ERRORS[base] ?? Error) {};

type Result = {
  readonly exitCode?: number;
  readonly error?: string;
  readonly stdout?: string;
  readonly stderr?: string;
};

/** Never thrown here, because a command that fails returns a result. For code that creates one itself. */
ERRORS.CommandExitError = class extends (ERRORS.SandboxError ?? Error) {
  constructor(result: Result | string = {}) {
    const given = typeof result === 'string' ? { error: result } : result;
    super(given.error ?? `exit code ${given.exitCode ?? 1}`);
    for (const name of ['exitCode', 'error', 'stdout', 'stderr'] as const)
      Object.defineProperty(this, name, { value: given[name], configurable: true, writable: true });
  }
};

for (const [name, Constructor] of Object.entries(ERRORS)) {
  Object.defineProperty(Constructor, 'name', { value: name, configurable: true });
  Object.defineProperty(Constructor.prototype, 'name', {
    value: name,
    writable: true,
    configurable: true,
    enumerable: false,
  });
}

export const ALL_TRAFFIC = '0.0.0.0/0';

const CONSTANTS = {
  ALL_TRAFFIC,
  FileType: { FILE: 'file', DIR: 'dir', SYMLINK: 'symlink' },
  FilesystemEventType: { CHMOD: 'chmod', CREATE: 'create', REMOVE: 'remove', RENAME: 'rename', WRITE: 'write' },
  // ChartType and ScaleType are exports of @e2b/code-interpreter.
  ChartType: {
    LINE: 'line',
    SCATTER: 'scatter',
    BAR: 'bar',
    PIE: 'pie',
    BOX_AND_WHISKER: 'box_and_whisker',
    SUPERCHART: 'superchart',
    UNKNOWN: 'unknown',
  },
  ScaleType: {
    LINEAR: 'linear',
    DATETIME: 'datetime',
    CATEGORICAL: 'categorical',
    LOG: 'log',
    SYMLOG: 'symlog',
    LOGIT: 'logit',
    FUNCTION: 'function',
    FUNCTIONLOG: 'functionlog',
    ASINH: 'asinh',
  },
  VolumeFileType: { UNKNOWN: 'unknown', FILE: 'file', DIRECTORY: 'directory', SYMLINK: 'symlink' },
};

const TEMPLATE =
  "Templates are built over the API: find('build a template') in search, then api.request({ method: 'POST', path: '/v3/templates', body }).";
const READY = 'It belongs to Template. In the body of a build, readyCmd and startCmd are shell commands as text.';
const VOLUME =
  "Volumes are made over the API: api.request({ method: 'POST', path: '/volumes', body: { name } }); find('volume') in search shows the others.";
const KEY = 'The gateway holds the connection and the key: use Sandbox, or api.request({ method, path, query, body }).';

/** Exports that are not offered -> what to do instead. */
const INSTEAD = byName([
  [TEMPLATE, 'Template TemplateBase'],
  [READY, 'ReadyCmd waitForFile waitForProcess waitForTimeout waitForURL'],
  [`${READY} For a server in a sandbox: await sbx.waitForPort(port).`, 'waitForPort'],
  [VOLUME, 'Volume'],
  ['Secrets cannot be managed here. Give values to a sandbox by envs.', 'Secret'],
  ['Secrets cannot be managed here.', 'SecretPaginator'],
  [
    "There is no desktop here. Create a sandbox from the template 'desktop' (Sandbox.create('desktop')) and run its programs by commands.run.",
    'Desktop',
  ],
  ["Use commands.run('git clone …').", 'Git'],
  [KEY, 'ApiClient ConnectionConfig E2B'],
  [
    "Logs of builds come from the API: find('build logs') in search.",
    'LogEntry LogEntryStart LogEntryEnd defaultBuildLogger',
  ],
  ['Links are signed already: await sbx.downloadUrl(path), sbx.uploadUrl(path).', 'getSignature'],
]);

function unusable(name: string, instead: string): unknown {
  const refuse = (): never => {
    throw new TypeError(`${name} is not available here. ${instead}`);
  };
  return new Proxy(() => {}, {
    apply: refuse,
    construct: refuse,
    get: (target, field) =>
      typeof field === 'symbol' || field in Function.prototype || field === 'prototype'
        ? Reflect.get(target, field)
        : refuse(),
  });
}

export function sdkNames(Sandbox: unknown): Readonly<Record<string, unknown>> {
  const absent = Object.entries(INSTEAD).map(([name, instead]) => [name, unusable(name, instead)]);
  const names = { ...ERRORS, ...CONSTANTS, ...Object.fromEntries(absent) } as Record<string, unknown>;
  return { ...names, e2b: { ...names, Sandbox, CodeInterpreter: Sandbox, default: Sandbox } };
}
