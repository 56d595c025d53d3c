// Reads our description of an API from openapi/: the operations and, from a second file, the other capabilities that
// the guest may call.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import { GatewayError } from '../errors.ts';
import { builtFile } from '../ground/built.ts';
import { omitUndefined } from '../ground/omit-undefined.ts';
import { type Capability, type Description, EFFECTS } from './description.ts';
import { firstLine } from './first-line.ts';
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

/** A description that the build has parsed, and the digest of the texts it was parsed from. */
type Compiled = { readonly digest: string; readonly description: Description };

/**
 * @param path of the OpenAPI document (YAML or JSON). Capabilities are read from `<name>.capabilities.yaml` beside it,
 *   if there is one. Texts that the build has parsed already are not parsed again.
 * @throws GatewayError `spec_invalid` with the name of the file and what is wrong
 */
export async function loadDescription(path: string): Promise<Description> {
  const texts = await readTexts(path);
  const compiled = await readCompiled(path);
  return compiled?.digest === digestOf(texts) ? compiled.description : parseTexts(path, texts);
}

/** Used by the build. loadDescription uses the file that this writes as long as the texts have not changed. */
export async function compileDescription(path: string): Promise<Description> {
  const texts = await readTexts(path);
  const description = await parseTexts(path, texts);
  const compiled: Compiled = { digest: digestOf(texts), description };
  const target = compiledFile(path);
  await mkdir(new URL('.', target), { recursive: true });
  await writeFile(target, JSON.stringify(compiled));
  return description;
}

type Texts = { readonly document: string; readonly capabilities: string | undefined };

const besideOf = (path: string): string => path.replace(/\.\w+$/, '.capabilities.yaml');
const compiledFile = (path: string): URL => builtFile(`description/${basename(path).replace(/\.\w+$/, '.json')}`);

async function readTexts(path: string): Promise<Texts> {
  const beside = besideOf(path);
  const [document, capabilities] = await Promise.all([read(path), existsSync(beside) ? read(beside) : undefined]);
  return { document, capabilities };
}

const digestOf = ({ document, capabilities }: Texts): string =>
  createHash('sha256')
    .update(JSON.stringify([document, capabilities]))
    .digest('hex');

async function readCompiled(path: string): Promise<Compiled | undefined> {
  const file = compiledFile(path);
  return existsSync(file) ? (JSON.parse(await readFile(file, 'utf8')) as Compiled) : undefined;
}

async function parseTexts(path: string, { document, capabilities }: Texts): Promise<Description> {
  const { parseDocument } = await import('./document.ts');
  const description = inFile(path, () => slim(parseDocument(document)));
  if (capabilities === undefined) return description;
  const checked = inFile(besideOf(path), () => checkCapabilities(parseDocument(capabilities)));
  return { ...description, capabilities: checked };
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

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new GatewayError('spec_invalid', `${path} cannot be read: ${firstLine(cause)}`, { cause });
  }
}

function inFile<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof GatewayError)) throw cause;
    throw new GatewayError(cause.code, `${path}: ${cause.message}`, { cause });
  }
}
