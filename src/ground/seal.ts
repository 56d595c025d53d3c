// What the gateway gives out and takes back: a few claims, encrypted (JWE, A256GCM) under a key that is derived for one
// purpose and one issuer. A sealed text is the only state there is. Pure: time and keys are handed in.
import { hkdfSync, webcrypto } from 'node:crypto';
import { CompactEncrypt, compactDecrypt, EncryptJWT, errors, jwtDecrypt } from 'jose';

/** One secret of the ring. The first of a ring seals; all of them open. */
export type RingKey = { readonly kid: string; readonly secret: Uint8Array };

/** What a sealed text is for. A text sealed for one purpose never opens for another. */
export type Purpose = 'client' | 'request' | 'code' | 'access' | 'refresh' | 'approval';

export type Claims = Readonly<Record<string, unknown>>;
/** `kid` of the key it was sealed with; `iat` and `exp` in seconds, `exp` absent where there is no end. */
export type Opened = { readonly claims: Claims; readonly kid: string; readonly iat: number };

export type SealOptions = {
  readonly ring: readonly [RingKey, ...RingKey[]];
  /** In every key: what another deployment sealed does not open here, not even under the same secret. */
  readonly issuer: string;
  readonly audience: string;
  /** In front of everything sealed. */
  readonly prefix: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
};

/** The largest we seal, a request with a long state of a client with many callbacks, is below it. */
const MAX_SEALED_CHARS = 12_288;
/** Replicas' clocks differ. */
const CLOCK_TOLERANCE_SECONDS = 5;
const INFO_PREFIX = 'code-mode-gateway/1/';

export class Seal {
  readonly #options: SealOptions;
  /** Imported once: jose would import raw bytes again for every token. */
  readonly #keys = new Map<string, Promise<webcrypto.CryptoKey>>();

  constructor(options: SealOptions) {
    this.#options = options;
  }

  get prefix(): string {
    return this.#options.prefix;
  }

  /** Whether a text looks like one of ours; it need not open. */
  readonly isOurs = (text: string): boolean => text.startsWith(this.prefix);

  /** `lifeSeconds` undefined: opens for as long as its key is in the ring. */
  async seal(purpose: Purpose, claims: Claims, lifeSeconds?: number): Promise<string> {
    const { ring, issuer, audience } = this.#options;
    const issuedAt = this.#nowSeconds();
    const jwt = new EncryptJWT({ ...claims })
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: ring[0].kid, typ: purpose })
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt(issuedAt);
    if (lifeSeconds !== undefined) jwt.setExpirationTime(issuedAt + lifeSeconds);
    return this.prefix + (await jwt.encrypt(await this.#keyOf(ring[0], purpose)));
  }

  /** Undefined for whatever was not sealed here for this purpose, was changed on the way, or is over. */
  async open(purpose: Purpose, sealed: string): Promise<Opened | undefined> {
    if (!this.isOurs(sealed) || sealed.length > MAX_SEALED_CHARS) return undefined;
    const jwe = sealed.slice(this.prefix.length);
    // Base64url has spare bits at its ends: without this, a token would have several spellings.
    if (!jwe.split('.').every(isCanonical)) return undefined;
    try {
      const { payload, protectedHeader } = await jwtDecrypt(jwe, ({ kid }) => this.#keyOf(this.#find(kid), purpose), {
        keyManagementAlgorithms: ['dir'],
        contentEncryptionAlgorithms: ['A256GCM'],
        typ: purpose,
        issuer: this.#options.issuer,
        audience: this.#options.audience,
        requiredClaims: ['iat'],
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        currentDate: new Date(this.#options.now()),
      });
      return { claims: payload, kid: protectedHeader.kid ?? '', iat: payload.iat ?? 0 };
    } catch (caught) {
      if (caught instanceof errors.JOSEError || caught instanceof UnknownKey) return undefined;
      throw caught;
    }
  }

  /** Bytes that hold their own expiry. */
  async sealBytes(purpose: Purpose, bytes: Uint8Array): Promise<string> {
    const [key] = this.#options.ring;
    const jwe = new CompactEncrypt(bytes).setProtectedHeader({
      alg: 'dir',
      enc: 'A256GCM',
      kid: key.kid,
      typ: purpose,
    });
    return this.prefix + (await jwe.encrypt(await this.#keyOf(key, purpose)));
  }

  /** Undefined for whatever was not sealed here for this purpose, or was changed on the way. */
  async openBytes(purpose: Purpose, sealed: string, maxChars: number): Promise<Uint8Array | undefined> {
    if (!this.isOurs(sealed) || sealed.length > maxChars) return undefined;
    const jwe = sealed.slice(this.prefix.length);
    if (!jwe.split('.').every(isCanonical)) return undefined;
    try {
      const { plaintext, protectedHeader } = await compactDecrypt(
        jwe,
        ({ kid }) => this.#keyOf(this.#find(kid), purpose),
        { keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ['A256GCM'] },
      );
      return protectedHeader.typ === purpose ? plaintext : undefined;
    } catch (caught) {
      if (caught instanceof errors.JOSEError || caught instanceof UnknownKey) return undefined;
      throw caught;
    }
  }

  /** A secret that follows from the ring: the same for the same label on every replica. One per key, the newest first. */
  derive(label: string): readonly Uint8Array[] {
    return this.#options.ring.map(key => this.#derive(key, label));
  }

  #find(kid: string | undefined): RingKey {
    const found = this.#options.ring.find(key => key.kid === kid);
    if (found === undefined) throw new UnknownKey();
    return found;
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

class UnknownKey extends Error {}

const isCanonical = (part: string): boolean => Buffer.from(part, 'base64url').toString('base64url') === part;
