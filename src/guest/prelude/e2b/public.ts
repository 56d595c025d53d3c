// The exports of E2B's SDK beside Sandbox: error classes for `instanceof`, enums and constants. Exports that are not
// offered here are defined too, and using one throws an error that says what to do instead.

class SandboxError extends Error {}
class TimeoutError extends SandboxError {}
class InvalidArgumentError extends SandboxError {}
class NotEnoughSpaceError extends SandboxError {}
class NotFoundError extends SandboxError {}
class FileNotFoundError extends NotFoundError {}
class SandboxNotFoundError extends NotFoundError {}
class RateLimitError extends SandboxError {}
class ServiceBusyError extends SandboxError {}
class TemplateError extends SandboxError {}
class GitUpstreamError extends SandboxError {}
class AuthenticationError extends Error {}
class GitAuthError extends AuthenticationError {}
class BuildError extends Error {}
class FileUploadError extends BuildError {}
class SecretError extends Error {}
class SecretNotFoundError extends SecretError {}
class VolumeError extends Error {}
class VolumeNotFoundError extends VolumeError {}
class VolumePathNotFoundError extends VolumeError {}

type Result = {
  readonly exitCode?: number;
  readonly error?: string;
  readonly stdout?: string;
  readonly stderr?: string;
};

/** Never thrown here, because a command that fails returns a result. For code that creates one itself. */
class CommandExitError extends SandboxError {
  declare readonly exitCode: number;
  constructor(result: Result | string = {}) {
    const given = typeof result === 'string' ? { error: result } : result;
    super(given.error ?? `exit code ${given.exitCode ?? 1}`);
    for (const name of ['exitCode', 'error', 'stdout', 'stderr'] as const)
      Object.defineProperty(this, name, { value: given[name], configurable: true, writable: true });
  }
}

export const ERRORS = {
  SandboxError,
  TimeoutError,
  InvalidArgumentError,
  NotEnoughSpaceError,
  NotFoundError,
  FileNotFoundError,
  SandboxNotFoundError,
  RateLimitError,
  ServiceBusyError,
  TemplateError,
  GitUpstreamError,
  AuthenticationError,
  GitAuthError,
  BuildError,
  FileUploadError,
  SecretError,
  SecretNotFoundError,
  VolumeError,
  VolumeNotFoundError,
  VolumePathNotFoundError,
  CommandExitError,
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
const LOGS = "Logs of builds come from the API: find('build logs') in search.";

/** Exports that are not offered -> what to do instead. */
const INSTEAD: Readonly<Record<string, string>> = {
  Template: TEMPLATE,
  TemplateBase: TEMPLATE,
  ReadyCmd: READY,
  waitForFile: READY,
  waitForPort: `${READY} For a server in a sandbox: await sbx.waitForPort(port).`,
  waitForProcess: READY,
  waitForTimeout: READY,
  waitForURL: READY,
  Volume: VOLUME,
  Secret: 'Secrets cannot be managed here. Give values to a sandbox by envs.',
  SecretPaginator: 'Secrets cannot be managed here.',
  Desktop:
    "There is no desktop here. Create a sandbox from the template 'desktop' (Sandbox.create('desktop')) and run its programs by commands.run.",
  Git: "Use commands.run('git clone …').",
  ApiClient: KEY,
  ConnectionConfig: KEY,
  E2B: KEY,
  LogEntry: LOGS,
  LogEntryStart: LOGS,
  LogEntryEnd: LOGS,
  defaultBuildLogger: LOGS,
  getSignature: 'Links are signed already: await sbx.downloadUrl(path), sbx.uploadUrl(path).',
};

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
