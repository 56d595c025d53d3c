// The logger: writes JSON lines, or readable ones for people, to stderr (with --stdio, stdout carries the protocol).
// The code must not log keys; redaction of fields is a second safeguard, and masking of whole lines the last.
import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino';
import pretty from 'pino-pretty';

export type Logger = PinoLogger;

type LogOptions = {
  readonly level: string;
  readonly format: 'json' | 'pretty';
  /** Replaces every key in a text. */
  readonly maskKeys: (text: string) => string;
  /** Where lines are written. Default: stderr. Tests collect them. */
  readonly destination?: DestinationStream;
};

const SECRET_FIELDS = [
  'apiKey',
  'token',
  'authorization',
  'Authorization',
  'x-api-key',
  'X-API-Key',
  'envdAccessToken',
  'trafficAccessToken',
];

export function createLogger({ level, format, maskKeys, destination }: LogOptions): Logger {
  const sink = destination ?? pino.destination({ dest: 2, sync: false });
  const target =
    format === 'pretty' ? pretty({ destination: sink, colorize: destination === undefined, sync: true }) : sink;
  return pino(
    {
      level,
      base: null,
      redact: {
        paths: SECRET_FIELDS.flatMap(name => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`]),
        censor: '[redacted]',
      },
      hooks: {
        // Applied to every line, because a library may put a key into the text of an error.
        streamWrite: maskKeys,
      },
    },
    target,
  );
}
