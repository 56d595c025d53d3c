// Random numbers. All guests start from one memory image, so QuickJS's own generator would repeat itself. crypto asks the
// host each time; Math.random is a fast generator (sfc32) that the host seeds on first use.
import { KIND } from '../../engine/protocol.ts';
import { byName } from '../by-name.ts';
import { run, send } from './bridge.ts';
import * as is from './intrinsics.ts';

const MAX_BYTES = 65_536;
const parseHex = Number.parseInt;

function randomHex(bytes: number): string {
  return send(KIND.random, 0, is.StringCtor(bytes)) ?? '';
}

function word(hex: string, index: number): number {
  return parseHex(is.slice(hex, index * 8, index * 8 + 8), 16) | 0;
}

let seeded = false;
let a = 0;
let b = 0;
let c = 0;
let counter = 1;

function next(): number {
  const sum = (a + b + counter) | 0;
  counter = (counter + 1) | 0;
  a = b ^ (b >>> 9);
  b = (c + (c << 3)) | 0;
  c = ((c << 21) | (c >>> 11)) + sum;
  return sum >>> 0;
}

function random(): number {
  if (!seeded) {
    seeded = true;
    const hex = randomHex(12);
    a = word(hex, 0);
    b = word(hex, 1);
    c = word(hex, 2);
    for (let i = 0; i < 12; i++) next();
  }
  return ((next() >>> 5) * 67_108_864 + (next() >>> 6)) / 9_007_199_254_740_992;
}

export function randomUUID(): string {
  const hex = randomHex(16);
  const variant = '89ab'[(parseHex(hex[16] ?? '0', 16) & 3) | 0];
  return `${is.slice(hex, 0, 8)}-${is.slice(hex, 8, 12)}-4${is.slice(hex, 13, 16)}-${variant}${is.slice(hex, 17, 20)}-${is.slice(hex, 20, 32)}`;
}

function getRandomValues<View extends ArrayBufferView>(view: View): View {
  if (
    !is.isView(view) ||
    view instanceof is.DataViewCtor ||
    view instanceof Float32Array ||
    view instanceof Float64Array
  )
    throw new is.TypeErrorCtor('getRandomValues needs an integer typed array');
  const length = is.viewBytes(view);
  if (length > MAX_BYTES) throw new is.TypeErrorCtor(`getRandomValues fills at most ${MAX_BYTES} bytes at once`);
  const bytes = new is.Uint8ArrayCtor(is.viewBuffer(view), is.viewOffset(view), length);
  const hex = randomHex(length);
  for (let i = 0; i < length; i++) bytes[i] = parseHex(is.slice(hex, i * 2, i * 2 + 2), 16);
  return view;
}

/** Members that these objects have in Node's modules or in browsers, but not here -> what to use instead. */
const NOT_IN_CRYPTO = byName([
  [
    "Use sbx.commands.run('sha256sum file'), or hashlib in sbx.runCode('…').",
    'createHash createHmac hash subtle pbkdf2 pbkdf2Sync scrypt scryptSync',
  ],
  ['Use Buffer.from(crypto.getRandomValues(new Uint8Array(n))).', 'randomBytes'],
  ['Use crypto.getRandomValues(view).', 'randomFillSync'],
  ['Use Math.floor(Math.random() * n).', 'randomInt'],
  [
    "Use openssl in sbx.commands.run('…').",
    'createCipheriv createDecipheriv createSign createVerify generateKeyPairSync',
  ],
  ['Use buffer.equals(other).', 'timingSafeEqual'],
]);

const NOT_IN_PERFORMANCE = byName([
  ['Use performance.now() before and after.', 'mark measure getEntries getEntriesByName timerify'],
]);

function refuse(owner: object, ownerName: string, absent: Readonly<Record<string, string>>): void {
  for (const name of is.keys(absent)) {
    const get = () => {
      throw new is.TypeErrorCtor(`${ownerName}.${name} is not defined. ${absent[name]}`);
    };
    Object.defineProperty(owner, name, { get });
  }
}

export function installRandom(): void {
  is.define(Math, 'random', random, false);
  const crypto = { randomUUID, getRandomValues };
  refuse(crypto, 'crypto', NOT_IN_CRYPTO);
  is.define(crypto, 'webcrypto', crypto, false);
  is.defineGlobal('crypto', is.freeze(crypto));
  // The engine's own performance.now() would count from the time the image was built.
  const performance = { now: () => is.now() - run.startedAt };
  Object.defineProperty(performance, 'timeOrigin', { get: () => run.startedAt });
  refuse(performance, 'performance', NOT_IN_PERFORMANCE);
  is.defineGlobal('performance', is.freeze(performance));
}
