// multipart/form-data, as HTTP clients send files: bytes in, parts out. Pure; keeps whole file names, folders and all,
// because the daemon takes the path from there.

export type Part = { readonly name: string; readonly filename: string | undefined; readonly content: Buffer };

export function boundaryOf(contentType: string): string | undefined {
  const match = /^multipart\/form-data;.*?boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType);
  return match?.[1] ?? match?.[2];
}

/** Undefined when the body is not what the boundary promises. */
export function parseMultipart(body: Buffer, boundary: string): Part[] | undefined {
  const parts: Part[] = [];
  const delimiter = Buffer.from(`--${boundary}`);
  let at = body.indexOf(delimiter);
  if (at === -1) return undefined;
  while (true) {
    const start = at + delimiter.length;
    if (body.subarray(start, start + 2).toString('latin1') === '--') return parts;
    const headersEnd = body.indexOf('\r\n\r\n', start);
    const next = headersEnd === -1 ? -1 : body.indexOf(`\r\n--${boundary}`, headersEnd + 2);
    if (next === -1) return undefined;
    const headers = body.subarray(start, headersEnd).toString('utf8');
    // An empty part's content ends before it begins.
    const content = body.subarray(headersEnd + 4, Math.max(headersEnd + 4, next));
    parts.push({ name: parameter(headers, 'name') ?? '', filename: parameter(headers, 'filename'), content });
    at = next + 2;
  }
}

/** WHATWG escapes in form-data names: %22, %0D, %0A. */
function parameter(headers: string, name: string): string | undefined {
  const value = new RegExp(`[;\\s]${name}="((?:[^"\\\\]|\\\\.)*)"`, 'i').exec(headers)?.[1];
  return value?.replace(/%22|%0D|%0A/gi, code => decodeURIComponent(code)).replace(/\\(["\\])/g, '$1');
}
