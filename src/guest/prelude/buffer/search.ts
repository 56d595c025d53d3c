// Finds bytes within bytes, by Node's rules for offsets. Text in UTF-16 is found at even offsets only.
export function findBytes(
  bytes: Uint8Array,
  wanted: Uint8Array,
  from: unknown,
  isForward: boolean,
  unit: 1 | 2,
): number {
  const start = startOf(bytes.length, offsetOf(from, bytes.length, isForward), wanted.length, isForward);
  if (wanted.length === 0) return start;
  const last = bytes.length - wanted.length;
  if (start < 0 || last < 0 || wanted.length < unit || (isForward && start > last)) return -1;
  const needle = unit === 2 ? wanted.subarray(0, wanted.length & ~1) : wanted;
  return search(bytes, needle, start - (start % unit), isForward, unit);
}

function search(bytes: Uint8Array, wanted: Uint8Array, from: number, isForward: boolean, unit: 1 | 2): number {
  const first = wanted[0] as number;
  const last = bytes.length - wanted.length;
  let at = isForward ? from : Math.min(from, last);
  while (at >= 0) {
    at = isForward ? bytes.indexOf(first, at) : bytes.lastIndexOf(first, at);
    if (at < 0 || at > last) return -1;
    if (at % unit === 0 && wanted.every((byte, i) => bytes[at + i] === byte)) return at;
    at += isForward ? 1 : -1;
  }
  return -1;
}

function offsetOf(from: unknown, length: number, isForward: boolean): number {
  const offset = +(from as number);
  if (Number.isNaN(offset)) return isForward ? 0 : length;
  return Math.trunc(Math.min(Math.max(offset, -(2 ** 31)), 2 ** 31 - 1));
}

function startOf(length: number, offset: number, wantedLength: number, isForward: boolean): number {
  if (offset < 0) {
    if (offset + length >= 0) return length + offset;
    return isForward || wantedLength === 0 ? 0 : -1;
  }
  if (offset + wantedLength <= length) return offset;
  if (wantedLength === 0) return length;
  return isForward ? -1 : length - 1;
}
