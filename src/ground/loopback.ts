// The names of this machine, each in the form in which it is met.

/** As `Host` and `Origin` headers and URLs have them. */
export const LOOPBACK_NAMES: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];

/** An address to bind, as an operator writes it. */
export const isLoopbackAddress = (host: string): boolean => LOOPBACK_NAMES.includes(host) || host === '::1';

/** `hostname` of a URL whose traffic does not leave this machine. */
export const isLoopbackHostname = (hostname: string): boolean =>
  LOOPBACK_NAMES.includes(hostname) || /^127(?:\.\d+){3}$/.test(hostname) || hostname.endsWith('.localhost');

/** An http URL whose traffic does not leave this machine. */
export const isLoopbackUrl = (url: string): boolean =>
  URL.canParse(url) && new URL(url).protocol === 'http:' && isLoopbackHostname(new URL(url).hostname);
