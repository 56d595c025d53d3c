// Reads our description of an API from openapi/: its operations and, in a file beside it, what the guest's code may call
// besides api.request.
// The only file I/O of this folder. Knows nothing of the network.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { GatewayError } from '../errors.ts';
import { omitUndefined } from '../ground/omit-undefined.ts';
import { type Capability, type Description, EFFECTS } from './description.ts';
import { slim } from './slim.ts';

const capability = z.strictObject({
  id: z.string().regex(/^[A-Z]\w*(\.\w+)+$/, 'must look like Sandbox.commands.run'),
  signature: z.string().min(1),
  summary: z.string().min(1),
  keywords: z.array(z.string().min(1)).default([]),
  mode: z.enum(['read', 'write']),
  effect: z.enum(EFFECTS),
  resource: z.string().min(1),
  description: z.string().min(1).optional(),
  example: z.string().min(1).optional(),
});
const capabilityFile = z.strictObject({ capabilities: z.array(capability) });

/**
 * @param path of the OpenAPI document (YAML or JSON). Capabilities are read from `<name>.capabilities.yaml` beside it,
 *   where there is one.
 * @throws GatewayError `spec_invalid`, its message naming the file and what is wrong.
 */
export async function loadDescription(path: string): Promise<Description> {
  const beside = path.replace(/\.\w+$/, '.capabilities.yaml');
  const [document, capabilities] = await Promise.all([read(path), existsSync(beside) ? read(beside) : undefined]);
  const description = inFile(path, () => slim(document));
  if (capabilities === undefined) return description;
  return { ...description, capabilities: inFile(beside, () => checkCapabilities(capabilities)) };
}

/** JSON or YAML text as a value. Throws `spec_invalid`. */
export function parseDocument(text: string): unknown {
  try {
    // JSON is YAML, but a hundred times faster to read as what it is.
    return /^\s*[{[]/.test(text)
      ? JSON.parse(text)
      : parse(text, { maxAliasCount: 100, logLevel: 'error', prettyErrors: false });
  } catch (cause) {
    throw new GatewayError('spec_invalid', `The description is neither JSON nor YAML: ${firstLine(cause)}`, { cause });
  }
}

function checkCapabilities(document: unknown): Capability[] {
  const checked = capabilityFile.safeParse(document);
  if (!checked.success) throw new GatewayError('spec_invalid', z.prettifyError(checked.error));
  const ids = checked.data.capabilities.map(({ id }) => id);
  const twice = ids.find((id, at) => ids.indexOf(id) !== at);
  if (twice !== undefined) throw new GatewayError('spec_invalid', `${twice} is described twice.`);
  return checked.data.capabilities.map(({ description, example, ...rest }) => ({
    ...rest,
    ...omitUndefined({ description, example }),
  }));
}

async function read(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new GatewayError('spec_invalid', `${path} cannot be read: ${firstLine(cause)}`, { cause });
  }
  return inFile(path, () => parseDocument(text));
}

function inFile<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof GatewayError)) throw cause;
    throw new GatewayError(cause.code, `${path}: ${cause.message}`, { cause });
  }
}

function firstLine(caught: unknown): string {
  return (caught instanceof Error ? caught.message : String(caught)).split('\n', 1)[0] ?? '';
}
