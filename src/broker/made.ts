// Which sandboxes the API says it made in answer to a request, so that a run can be told what it left behind. Pure.

const MAKES = /^POST \/(?:v\d+\/)?sandboxes(?:\/[^/]+\/fork)?$/;

/** `label` as the guard has it. Empty for a request that makes none, and for an answer that is not what it should be. */
export function sandboxesMade(label: string, { status, text }: { status: number; text: string }): readonly string[] {
  return status === 201 && MAKES.test(label) ? [parse(text)].flat().flatMap(idOf) : [];
}

/** Of a sandbox, or of one entry of a fork's answer. */
function idOf(entry: unknown): readonly string[] {
  const { sandboxID, sandbox } = (entry ?? {}) as { sandboxID?: unknown; sandbox?: unknown };
  if (sandbox !== undefined) return idOf(sandbox);
  return typeof sandboxID === 'string' ? [sandboxID] : [];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
