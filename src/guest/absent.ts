// Table of globals and packages that models expect and the guest does not have, each with a sentence about what to use
// instead. It is bundled into the prelude, and used when code is accepted and errors are explained. Pure.
import type { Surface } from '../engine/engine.ts';
import { IMPORT_MESSAGE } from '../engine/protocol.ts';
import { byName, type Groups } from './by-name.ts';
import { DESKTOP_MODULE } from './prelude/e2b/sdk.ts';

const FILES =
  'There is no file system here. In execute_read and execute_write, work on files of a sandbox: sandbox.files.read(path).';
const NETWORK =
  "There is no network here. A server inside a sandbox: sbx.fetch(port, path). The internet: sbx.commands.run('curl …'). The API itself: api.request({ method, path, query, body }).";
const NETWORK_IN_SEARCH = 'There is no network here. Use find(query) and describe(operation).';
const ENVIRONMENT = 'There is no process and there are no environment variables here; the gateway adds the API key.';
const COMMANDS = "Nothing can be started here. Use sbx.commands.run('…'): it runs a command in a sandbox.";
const PACKAGE = `There are no packages here, only JavaScript itself. What needs one runs in a sandbox: sbx.commands.run('npm install …').`;
const PAGE = 'There is no page and no browser here. Return data; display(value) shows an image or a file.';
const STORAGE =
  'Nothing is kept between calls. Return what the next one needs, or write it to a file of a sandbox: sbx.files.write(path, data).';
const NOBODY = 'Nobody can be asked while the code runs. Return the question as the result.';
const SLEEP = 'Use await new Promise(done => setTimeout(done, ms)).';
const THREADS = 'There is one thread here. Promise.all lets calls overlap; heavy work belongs in a sandbox.';
const STREAMS =
  'There are no streams here: files.read gives the whole content, and onStdout of commands.run gets output as it is printed.';
const EVENTS = 'There are no events here. Use plain functions and promises; AbortController is there.';
const REQUESTS =
  'Requests are plain objects here: api.request({ method, path, query, body }), sbx.fetch(port, path, init).';
const COMPRESSION = "Compress in a sandbox: sbx.commands.run('gzip …'), or zlib in sbx.runCode('…').";
const PYTHON = "That is Python, and this is JavaScript. Python goes into sbx.runCode('…').";
const ARGUMENTS =
  'The function gets no arguments, and nothing is kept from earlier calls: write the values into the code.';
const TESTS = 'There are no tests here. Compare by yourself, and throw an Error or return what you found.';
const METHOD = 'It is a method of a sandbox: const sbx = await Sandbox.create(), then';
const TOOLS =
  'Tools cannot be called from code. In search there are find and describe; in execute_read and execute_write, api.request and Sandbox.';

/** For members of `api` that it does not have. */
export const API_METHOD = 'api has one method: api.request({ method, path, query, body }).';

/** The names that share a sentence. */
const GROUPS: Groups<string> = [
  [FILES, 'fs fsPromises fsp readFile readFileSync writeFile writeFileSync existsSync mkdirSync readdirSync open'],
  [
    NETWORK,
    'fetch XMLHttpRequest WebSocket EventSource axios got ky superagent undici http https http2 net dns tls dgram',
  ],
  [IMPORT_MESSAGE, 'require module exports __dirname __filename __webpack_require__ importScripts'],
  [ENVIRONMENT, 'process Deno Bun env ENV API_KEY apiKey dotenv'],
  [COMMANDS, 'child_process exec execSync execFile execFileSync spawn spawnSync fork shell bash sh execa $'],
  ['There is no machine here. Of a sandbox: sbx.commands.run("uname -a; nproc; free -m"), and sbx.getMetrics().', 'os'],
  [`Join paths as text: \`\${folder}/\${name}\`.`, 'path'],
  ['Use new URL(text) and URLSearchParams.', 'url querystring qs'],
  [
    'Use console.log(value) to show a value, JSON.stringify(value) for text, structuredClone(value) for a copy.',
    'util inspect promisify cloneDeep',
  ],
  [
    PACKAGE,
    '_ lodash ramda moment dayjs luxon dateFns z zod Joi yup chalk colors ora YAML yaml JSON5 csv Papa xml2js cheerio jsdom sharp React ReactDOM Vue jQuery express fastify playwright puppeteer chromium openai OpenAI Anthropic LangChain prisma mongoose pg mysql redis sqlite3 Database tf d3',
  ],
  ['Use crypto.randomUUID().', 'uuid uuidv4 uuidV4 uuid4 nanoid randomUUID cuid ulid'],
  ["Use Buffer.from(text).toString('base64'), or btoa(text).", 'base64 Base64'],
  [
    PAGE,
    'window document navigator location history screen Image Audio HTMLElement Element Node DOMParser XMLSerializer MutationObserver IntersectionObserver ResizeObserver getComputedStyle matchMedia FileReader Notification canvas OffscreenCanvas createImageBitmap ImageData',
  ],
  [STORAGE, 'localStorage sessionStorage indexedDB caches cookieStore'],
  [NOBODY, 'alert prompt confirm readline inquirer'],
  [SLEEP, 'sleep delay wait pause timeout setTimeoutPromise timersPromises timers usleep'],
  ['Use setTimeout(fn, 0) or queueMicrotask(fn).', 'setImmediate nextTick requestAnimationFrame requestIdleCallback'],
  ['Use clearTimeout(timer).', 'clearImmediate cancelAnimationFrame cancelIdleCallback'],
  [
    THREADS,
    'Worker SharedWorker worker_threads workerThreads cluster MessageChannel MessagePort BroadcastChannel postMessage Atomics parentPort isMainThread async_hooks AsyncLocalStorage',
  ],
  [
    STREAMS,
    'stream Readable Writable Transform Duplex PassThrough pipeline ReadableStream WritableStream TransformStream TextDecoderStream TextEncoderStream ByteLengthQueuingStrategy CountQueuingStrategy string_decoder StringDecoder',
  ],
  [
    EVENTS,
    'EventTarget Event CustomEvent EventEmitter events addEventListener removeEventListener dispatchEvent ErrorEvent MessageEvent CloseEvent',
  ],
  [REQUESTS, 'Request Response FormData'],
  ['Use new Blob([data]), or give text or bytes to sbx.files.write(path, data).', 'File'],
  [COMPRESSION, 'zlib CompressionStream DecompressionStream pako gzip gunzip tar JSZip AdmZip archiver'],
  [
    "Use crypto.randomUUID and crypto.getRandomValues. Hashes: sbx.commands.run('sha256sum file'), or hashlib in sbx.runCode('…').",
    'createHash createHmac randomBytes randomInt subtle webcrypto md5 sha1 sha256 CryptoJS bcrypt jwt jsonwebtoken',
  ],
  ['Use performance.now().', 'perf_hooks perfHooks'],
  ['Run it in a sandbox instead.', 'WebAssembly vm v8 isolatedVm repl inspector wasi'],
  ['Use Date, and Intl.DateTimeFormat to show it.', 'Temporal'],
  ["Throw an Error, or return what you found: if (!ok) throw new Error('…').", 'assert'],
  [TESTS, 'expect test vitest jest suite beforeEach afterEach chai'],
  ["Use console.log('…').", 'log logger logging printf println puts echo debug trace pino winston'],
  ["Use console.log('…'). Python goes into sbx.runCode('…').", 'print pprint'],
  [
    "It is `null` in JavaScript, `true` and `false`, `this`. Python goes into sbx.runCode('…').",
    'None True False self nil',
  ],
  [
    "In JavaScript: list.length, String(x), Number(x), Object.keys(x), Array.from({ length: n }, (_, i) => i). Python goes into sbx.runCode('…').",
    'len str int float range dict tuple enumerate sorted reversed zip isinstance repr',
  ],
  ['Use JSON.stringify and JSON.parse.', 'json'],
  ['Use Math, e.g. Math.random().', 'math random'],
  ['Use Date, e.g. new Date().toISOString().', 'datetime timedelta'],
  [
    PYTHON,
    'np numpy pd pandas plt matplotlib sns sys subprocess requests time itertools functools collections asyncio pathlib pickle shutil glob hashlib urllib sklearn torch __name__ __file__ ValueError KeyError',
  ],
  [
    'Make or reach one first: const sbx = await Sandbox.create(), or await Sandbox.connect(id). Nothing is kept between calls.',
    'sandbox sbx sb',
  ],
  [ARGUMENTS, 'args argv input params parameters context ctx event input_data inputs payload props $input $json'],
  [TOOLS, 'tools tool mcp client server callTool call_tool useTool use_tool search execute execute_read execute_write'],
  [
    `${METHOD} await sbx.runCode('…').`,
    'runCode run_code execCell runPython run_python executeCode execute_code notebook',
  ],
  [`${METHOD} await sbx.commands.run('…').`, 'commands command runCommand run_command terminal pty'],
  [`${METHOD} await sbx.files.read(path).`, 'files filesystem readfile uploadFile downloadFile'],
  [
    'Use display(value): it shows an image, a file or a text beside the result.',
    'show render plot displayImage display_image Markdown HTML',
  ],
  ['Return the value: the result is what the function returns.', 'setResult return_value exit quit'],
  [
    "There is no desktop SDK here: Sandbox.create('desktop'), and its programs by sbx.commands.run('…').",
    'DesktopSandbox',
  ],
  ['Use Sandbox: it has runCode.', 'CodeInterpreter Interpreter AsyncSandbox SandboxSync'],
];

/** A name of the table -> what to use instead. */
export const INSTEAD = byName(GROUPS);

/** The same for search, which has no sandboxes. Built in advance, because the agent's code may change built-in functions. */
const INSTEAD_IN_SEARCH = byName(GROUPS.map(([instead, names]) => [inSearch(instead), names]));

function inSearch(instead: string): string {
  if (instead === NETWORK) return NETWORK_IN_SEARCH;
  return instead.includes('sbx.') ? `${instead} Sandboxes are in execute_read and execute_write.` : instead;
}

/** Packages whose name is not in the table -> the name in the table that stands for them. */
const MODULES = byName([
  ['DesktopSandbox', DESKTOP_MODULE],
  ['mcp', '@modelcontextprotocol/sdk'],
  ['Anthropic', '@anthropic-ai/sdk'],
  ['fs', 'fs-extra graceful-fs'],
  ['fetch', 'node-fetch cross-fetch request'],
  ['spawn', 'cross-spawn shelljs'],
  ['test', 'mocha'],
]);

/** The sentence that says what to use instead of `name` in a tool; undefined for a name that is not in the table. */
export const insteadOf = (name: string, surface: Surface): string | undefined =>
  (surface === 'search' ? INSTEAD_IN_SEARCH : INSTEAD)[name];

/** The same for a module specifier: `node:fs/promises`, `lodash/merge`, `@scope/name`. */
export function insteadOfModule(module: string, surface: Surface): string | undefined {
  const [scoped] = /^@[^/]+\/[^/@]+/.exec(module) ?? [];
  const [name = ''] = module.replace(/^node:/, '').split('/');
  return insteadOf(MODULES[scoped ?? name] ?? name.replace(/(.)@.*$/, '$1'), surface);
}
