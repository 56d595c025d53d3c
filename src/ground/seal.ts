// Encrypts claims that the gateway gives to clients and gets back (JWE, A256GCM), with a key derived for one purpose
// and one issuer. The gateway stores no other state. Pure: time and keys are passed in.
import { hkdfSync, webcrypto } from 'node:crypto';
import { CompactEncrypt, compactDecrypt, EncryptJWT, errors, jwtDecrypt } from 'jose';

/** A secret. The first secret of a ring encrypts; all of them decrypt. */
export type RingKey = { readonly kid: string; readonly secret: Uint8Array };

/** The purpose of a sealed text. A text sealed for one purpose cannot be opened for another. */
export type Purpose = 'client' | 'request' | 'code' | 'access' | 'refresh' | 'approval';

export type Claims = Readonly<Record<string, unknown>>;
/** `kid`: id of the key it was sealed with; `iat`: time of sealing, in seconds. */
export type Opened = { readonly claims: Claims; readonly kid: string; readonly iat: number };

export type SealOptions = {
  readonly ring: readonly [RingKey, ...RingKey[]];
  /** Part of every derived key, so that another deployment's text cannot be opened here, even with the same secret. */
  readonly issuer: string;
  readonly audience: string;
  /** Prefix of every sealed text. */
  readonly prefix: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
};

/** More than the largest sealed text: a request with a long state, from a client with many callbacks. */
const MAX_SEALED_CHARS = 12_288;
/** The clocks of replicas may differ. */
const CLOCK_TOLERANCE_SECONDS = 5;
const INFO_PREFIX = 'code-mode-gateway/1/';

export class Seal {
  readonly #options: SealOptions;
  /** Imported once, because jose would import raw bytes again for every token. */
  readonly #keys = new Map<string, Promise<webcrypto.CryptoKey>>();

  constructor(options: SealOptions) {
    this.#options = options;
  }

  get prefix(): string {
    return this.#options.prefix;
  }

  /** Whether a text has the prefix of a sealed text. It may still not be valid. */
  readonly isOurs = (text: string): boolean => text.startsWith(this.prefix);

  /** `lifeSeconds` undefined: valid as long as its key is in the ring. */
  async seal(purpose: Purpose, claims: Claims, lifeSeconds?: number): Promise<string> {
    const { ring, issuer, audience } = this.#options;
    const issuedAt = this.#nowSeconds();
    const jwt = new EncryptJWT({ ...claims })
      .setProtectedHeader(headerOf(ring[0], purpose))
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt(issuedAt);
    if (lifeSeconds !== undefined) jwt.setExpirationTime(issuedAt + lifeSeconds);
    return this.prefix + (await jwt.encrypt(await this.#keyOf(ring[0], purpose)));
  }

  /** Undefined if the text was not sealed here for this purpose, was changed, or has expired. */
  async open(purpose: Purpose, sealed: string): Promise<Opened | undefined> {
    const found = this.#read(purpose, sealed, MAX_SEALED_CHARS);
    if (found === undefined) return undefined;
    try {
      const { payload } = await jwtDecrypt(found.jwe, await this.#keyOf(found.key, purpose), {
        ...ALGORITHMS,
        issuer: this.#options.issuer,
        audience: this.#options.audience,
        requiredClaims: ['iat'],
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        currentDate: new Date(this.#options.now()),
      });
      return { claims: payload, kid: found.key.kid, iat: payload.iat ?? 0 };
    } catch (caught) {
      if (caught instanceof errors.JOSEError) return undefined;
      throw caught;
    }
  }

  /** For bytes that contain their own expiry time. */
  async sealBytes(purpose: Purpose, bytes: Uint8Array): Promise<string> {
    const [key] = this.#options.ring;
    const jwe = new CompactEncrypt(bytes).setProtectedHeader(headerOf(key, purpose));
    return this.prefix + (await jwe.encrypt(await this.#keyOf(key, purpose)));
  }

  /** Undefined if the text was not sealed here for this purpose, or was changed. */
  async openBytes(purpose: Purpose, sealed: string, maxChars: number): Promise<Uint8Array | undefined> {
    const found = this.#read(purpose, sealed, maxChars);
    if (found === undefined) return undefined;
    try {
      return (await compactDecrypt(found.jwe, await this.#keyOf(found.key, purpose), ALGORITHMS)).plaintext;
    } catch (caught) {
      if (caught instanceof errors.JOSEError) return undefined;
      throw caught;
    }
  }

  /** Derives a secret from each key of the ring, newest key first. The same on every replica for the same label. */
  derive(label: string): readonly Uint8Array[] {
    return this.#options.ring.map(key => this.#derive(key, label));
  }

  /**
   * The JWE and the key it names, if it can be one of ours. Its header is compared, not parsed: what others send may be long,
   * deep, or nothing but dots.
   */
  #read(purpose: Purpose, sealed: string, maxChars: number): { jwe: string; key: RingKey } | undefined {
    if (!this.isOurs(sealed) || sealed.length > maxChars) return undefined;
    const jwe = sealed.slice(this.prefix.length);
    const parts = jwe.split('.', JWE_PARTS + 1);
    const key = this.#options.ring.find(each => textOf(headerOf(each, purpose)) === parts[0]);
    // Base64url has unused bits at its end, so without this check a token would have several spellings.
    return key !== undefined && parts.length === JWE_PARTS && parts.every(isCanonical) ? { jwe, key } : undefined;
  }

  #keyOf(key: RingKey, purpose: Purpose): Promise<webcrypto.CryptoKey> {
    const name = `${key.kid} ${purpose}`;
    let imported = this.#keys.get(name);
    if (imported === undefined) {
      imported = webcrypto.subtle.importKey('raw', this.#derive(key, purpose), 'AES-GCM', false, [
        'encrypt',
        'decrypt',
      ]);
      this.#keys.set(name, imported);
    }
    return imported;
  }

  #derive({ secret }: RingKey, label: string): Uint8Array {
    const info = `${INFO_PREFIX}${label}/${this.#options.issuer}`;
    return new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(), info, 32));
  }

  readonly #nowSeconds = (): number => Math.floor(this.#options.now() / 1000);
}

const JWE_PARTS = 5;
const ALGORITHMS = { keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ['A256GCM'] };

const headerOf = ({ kid }: RingKey, typ: Purpose) => ({ alg: 'dir', enc: 'A256GCM', kid, typ });
const textOf = (header: object): string => Buffer.from(JSON.stringify(header)).toString('base64url');

const isCanonical = (part: string): boolean => Buffer.from(part, 'base64url').toString('base64url') === part;
