// The logger: JSON lines on stderr (stdout belongs to --stdio), or pretty ones for people. Keys never reach it by
// rule; redaction is the second line, for the fields where one could slip in.
import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino';
import pretty from 'pino-pretty';

export type Logger = PinoLogger;

type LogOptions = {
  readonly level: string;
  readonly format: 'json' | 'pretty';
  /** Replaces every key in a text. */
  readonly maskKeys: (text: string) => string;
  /** Where lines go; stderr unless a test collects them. */
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
        // The last line of defence: whatever a library put into an error's text, no key leaves the process.
        streamWrite: maskKeys,
      },
    },
    target,
  );
}
