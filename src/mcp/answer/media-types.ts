// The media types that a response may name for files. They are outside the envelope and may be text that an agent or a
// sandbox chose, so unknown types become application/octet-stream. Pure.

const KNOWN: ReadonlySet<string> = new Set(
  [
    'application: gzip json pdf rtf sql toml wasm xml yaml zip octet-stream x-tar x-ndjson x-sh x-yaml x-ipynb+json geo+json ld+json',
    'application: msword vnd.ms-excel vnd.ms-powerpoint vnd.apache.parquet vnd.apache.arrow.file vnd.sqlite3 vnd.oasis.opendocument.text',
    'application: vnd.openxmlformats-officedocument.wordprocessingml.document vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    'application: vnd.openxmlformats-officedocument.presentationml.presentation javascript typescript x-httpd-php x-python epub+zip',
    'audio: aac flac midi mp4 mpeg ogg wav webm x-wav',
    'font: otf ttf woff woff2',
    'image: apng avif bmp gif heic jpeg png svg+xml tiff webp x-icon vnd.microsoft.icon',
    'text: calendar css csv html javascript markdown plain tab-separated-values vcard x-python xml yaml x-yaml x-sh',
    'video: mp4 mpeg ogg quicktime webm x-matroska',
  ].flatMap(line => {
    const [type = '', subtypes = ''] = line.split(': ');
    return subtypes.split(' ').map(subtype => `${type}/${subtype}`);
  }),
);

export const knownMediaType = (type: string): string =>
  KNOWN.has(type.toLowerCase()) ? type.toLowerCase() : 'application/octet-stream';
