// The forms that settings come in: text of the environment -> a value, or the reason why not. Pure.

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
/** As Express reads "trust proxy": an address, a subnet, or a name for some. */
export const isProxy = (item: string): boolean => {
  const [address = '', subnet] = item.split('/', 2);
  if (subnet === undefined && /^(?:loopback|linklocal|uniquelocal)$/.test(item)) return true;
  const bits = isIP(address) === 4 ? 32 : 128;
  const fits = subnet === undefined || isIPv4(subnet) || (/^\d+$/.test(subnet) && +subnet > 0 && +subnet <= bits);
  return isIP(address) !== 0 && fits;
};
/** Keys travel to these URLs: in clear only to this machine. */
export const serviceUrl = z
  .url({ error: 'must be a URL' })
  .refine(text => /^https:/i.test(text) || isLoopbackUrl(text), 'must be https (http only on a loopback address)')
  .transform(text => text.replace(/\/+$/, ''));
export const httpUrl = z
  .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
  .transform(text => text.replace(/\/+$/, ''));

/** `kid:secret[,kid:secret]`, each secret 32 random bytes or more. */
export const keyRing = list
  .refine(items => items.length > 0, 'must be <kid>:<secret>, comma separated')
  .transform((items, context) =>
    items.map((item, index) => {
      const [kid = '', secret = '', ...rest] = item.split(':');
      const bytes = /^[\w+/-]+={0,2}$/.test(secret) ? Buffer.from(secret, 'base64') : Buffer.alloc(0);
      const isNew = items.findIndex(other => other.split(':')[0] === kid) === index;
      if (!/^[\w-]{1,32}$/.test(kid) || !isNew || rest.length > 0 || bytes.byteLength < 32)
        context.addIssue(
          `entry ${index + 1} must be <kid>:<secret>: a kid of its own, and 32 random bytes in base64 (openssl rand -base64 32)`,
        );
      return { kid, secret: new Uint8Array(bytes) };
    }),
  );
/** Seconds since 1970, or a date. */
export const instant = z.string().transform((text, context) => {
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text);
  if (!Number.isFinite(ms)) context.addIssue('must be seconds since 1970, or a date as 2026-11-25T12:00:00Z');
  return ms;
});
export const callbacks = list.refine(
  items =>
    items.every(
      item => item === '*' || /^(?:https:\/\/|http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])[:/])[^\s#\\*]+$/.test(item),
    ),
  'must be full https URLs, or * for any',
);
