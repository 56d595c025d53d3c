// Recognizes names and addresses of this machine, in each of the forms in which they occur.

/** The forms in `Host` and `Origin` headers and in URLs. */
export const LOOPBACK_NAMES: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];

/** `host`: an address to bind, as an operator writes it. */
export const isLoopbackAddress = (host: string): boolean => LOOPBACK_NAMES.includes(host) || host === '::1';

/** `hostname`: of a URL. Traffic to such names does not leave this machine. */
export const isLoopbackHostname = (hostname: string): boolean =>
  LOOPBACK_NAMES.includes(hostname) || /^127(?:\.\d+){3}$/.test(hostname) || hostname.endsWith('.localhost');

/** True for http URLs whose traffic does not leave this machine. */
export const isLoopbackUrl = (url: string): boolean =>
  URL.canParse(url) && new URL(url).protocol === 'http:' && isLoopbackHostname(new URL(url).hostname);
