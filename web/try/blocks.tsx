// Shows images and files of a response. All are hostile: images are recognized by their first bytes, HTML is shown in a
// frame that can run and load nothing, SVG is shown as text, and other files can only be downloaded.
import { useEffect, useMemo, useState } from 'preact/hooks';
import { jsonIn } from '../answer.ts';
import type { Block } from '../mcp.ts';
import { TextBox } from './text-box.tsx';
import { Tree } from './tree.tsx';

const IMAGES: readonly (readonly [string, string])[] = [
  ['iVBORw0KGgo', 'image/png'],
  ['/9j/', 'image/jpeg'],
  ['R0lGOD', 'image/gif'],
  ['UklGR', 'image/webp'],
];
const EXTENSIONS: Readonly<Record<string, string>> = {
  'text/html': 'html',
  'image/svg+xml': 'svg',
  'application/json': 'json',
  'application/pdf': 'pdf',
  'text/csv': 'csv',
  'text/plain': 'txt',
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/gif': 'gif',
  'image/webp': 'webp',
};

type File = { readonly name: string; readonly mimeType: string; readonly base64: string };

export function Blocks({ blocks }: { blocks: readonly Block[] }) {
  const files = blocks.flatMap((block, at): File[] => {
    if (block.type === 'image') return [fileOf(at, block.mimeType, block.data)];
    if (block.type !== 'resource') return [];
    const { mimeType = 'application/octet-stream', blob = '' } = block.resource;
    return [fileOf(at, mimeType, blob)];
  });
  if (files.length === 0) return null;
  return (
    <section aria-label="Images and files">
      <h3>Images and files</h3>
      {files.map(file => (
        <FileView key={file.name} file={file} />
      ))}
    </section>
  );
}

const fileOf = (at: number, mimeType: string, base64: string): File => ({
  name: `output-${at}.${EXTENSIONS[mimeType] ?? 'bin'}`,
  mimeType,
  base64,
});

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(atob(base64), char => char.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}

function FileView({ file }: { file: File }) {
  const bytes = useMemo(() => bytesOf(file.base64), [file.base64]);
  return (
    <figure class="file">
      <Preview file={file} bytes={bytes} />
      <figcaption class="row">
        <span class="grow soft">{`${file.mimeType.slice(0, 80)}, ${bytes.length.toLocaleString('en')} bytes`}</span>
        <Download name={file.name} bytes={bytes} />
      </figcaption>
    </figure>
  );
}

function Preview({ file, bytes }: { file: File; bytes: Uint8Array<ArrayBuffer> }) {
  const image = IMAGES.find(([start]) => file.base64.startsWith(start))?.[1];
  if (image !== undefined) return <Picture bytes={bytes} mimeType={image} name={file.name} />;
  if (file.mimeType === 'text/html') return <Frame html={textOf(bytes)} />;
  if (/^(?:text\/|application\/json$|image\/svg\+xml$)/.test(file.mimeType)) {
    const text = textOf(bytes);
    const json = file.mimeType === 'application/json' ? jsonIn(text) : undefined;
    return json === undefined ? <TextBox name={file.name} text={text} /> : <Tree value={json.value} />;
  }
  return null;
}

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** Shows a blob whose type comes from its first bytes, not from the response. */
function Picture({ bytes, mimeType, name }: { bytes: Uint8Array<ArrayBuffer>; mimeType: string; name: string }) {
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([bytes], { type: mimeType }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [bytes, mimeType]);
  return url === undefined ? null : <img src={url} alt={`Output of the code: ${name}`} />;
}

/** The sandbox attribute forbids scripts and forms, and this policy, with the page's own, forbids network access. */
const FRAME_POLICY = `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:">`;

function Frame({ html }: { html: string }) {
  return (
    <iframe title="HTML that the code returned" sandbox="" referrerpolicy="no-referrer" srcdoc={FRAME_POLICY + html} />
  );
}

function Download({ name, bytes }: { name: string; bytes: Uint8Array<ArrayBuffer> }) {
  const save = () => {
    const url = URL.createObjectURL(new Blob([bytes], { type: 'application/octet-stream' }));
    Object.assign(document.createElement('a'), { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  };
  return (
    <button type="button" class="small" onClick={save}>
      {`Download ${name}`}
    </button>
  );
}
