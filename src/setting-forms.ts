// Schemas that parse the text of a setting into a value, or say what is wrong with it. Pure.

import { isIP, isIPv4 } from 'node:net';
import { z } from 'zod';
import { isLoopbackUrl } from './ground/loopback.ts';

export const integer = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
export const flag = z.enum(['true', 'false', '1', '0']).transform(text => text === 'true' || text === '1');
export const list = z.string().transform(text =>
  text
    .split(',')
    .map(item => item.trim())
    .filter(item => item !== ''),
);
/** What Express accepts for "trust proxy": an address, a subnet, or the name of a range. */
export const isProxy = (item: string): boolean => {
  const [address = '', subnet] = item.split('/', 2);
  if (subnet === undefined && /^(?:loopback|linklocal|uniquelocal)$/.test(item)) return true;
  const bits = isIP(address) === 4 ? 32 : 128;
  const fits = subnet === undefined || isIPv4(subnet) || (/^\d+$/.test(subnet) && +subnet > 0 && +subnet <= bits);
  return isIP(address) !== 0 && fits;
};
/** A URL to which API keys are sent, so plain http is allowed to this machine only. */
export const serviceUrl = z
  .url({ error: 'must be a URL' })
  .refine(text => /^https:/i.test(text) || isLoopbackUrl(text), 'must be https (http only on a loopback address)')
  .transform(text => text.replace(/\/+$/, ''));
export const httpUrl = z
  .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
  .transform(text => text.replace(/\/+$/, ''));

/** `kid:secret[,kid:secret]`; each secret has 32 random bytes or more. */
export const keyRing = list
  .refine(items => items.length > 0, 'must be <kid>:<secret>, comma separated')
  .transform((items, context) =>
    items.map((item, index) => {
      const [kid = '', secret = '', ...rest] = item.split(':');
      const bytes = /^[\w+/-]+={0,2}$/.test(secret) ? Buffer.from(secret, 'base64') : Buffer.alloc(0);
      const isNew = items.findIndex(other => other.split(':')[0] === kid) === index;
      if (!/^[\w-]{1,32}$/.test(kid) || !isNew || rest.length > 0 || bytes.byteLength < 32)
        context.addIssue(
          `entry ${index + 1} must be <kid>:<secret>: a unique kid, and 32 random bytes in base64 (openssl rand -base64 32)`,
        );
      return { kid, secret: new Uint8Array(bytes) };
    }),
  );
/** Seconds since 1970, or a date. */
export const instant = z.string().transform((text, context) => {
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text);
  if (!Number.isFinite(ms)) context.addIssue('must be seconds since 1970, or a date like 2026-11-25T12:00:00Z');
  return ms;
});
export const callbacks = list.refine(
  items =>
    items.every(
      item => item === '*' || /^(?:https:\/\/|http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])[:/])[^\s#\\*]+$/.test(item),
    ),
  'must be full https URLs, or * for any',
);
