/**
 * As much of DER (X.690) as it takes to find a few fields of certificates and revocation lists that OpenSSL reads too:
 * definite lengths, tags below 31. What is anything else is refused by throwing.
 */

export interface Element {
  readonly tag: number;
  /** The element as a whole. */
  readonly bytes: Buffer;
  readonly content: Buffer;
}

export const TAG = { integer: 0x02, utcTime: 0x17, generalizedTime: 0x18, sequence: 0x30, version: 0xa0 } as const;

/** Lengths of two gigabytes fit. */
const MAX_LENGTH_BYTES = 4;
const LONG_FORM = 0x80;
const MULTIBYTE_TAG = 0x1f;

/** The elements that follow one another in `bytes`. Errors: a RangeError when they don't fill it. */
export function elementsOf(bytes: Buffer): Element[] {
  const elements: Element[] = [];
  for (let start = 0; start < bytes.length; ) {
    const element = readElement(bytes, start);
    elements.push(element);
    start += element.bytes.length;
  }
  return elements;
}

function readElement(bytes: Buffer, start: number): Element {
  const tag = bytes.readUInt8(start);
  const first = bytes.readUInt8(start + 1);
  const lengthBytes = first < LONG_FORM ? 0 : first - LONG_FORM;
  if ((tag & MULTIBYTE_TAG) === MULTIBYTE_TAG || first === LONG_FORM || lengthBytes > MAX_LENGTH_BYTES)
    throw new RangeError('not DER as certificates have it');
  const contentStart = start + 2 + lengthBytes;
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(start + 2, lengthBytes);
  const end = contentStart + length;
  if (end > bytes.length) throw new RangeError('an element is longer than what holds it');
  return { tag, bytes: bytes.subarray(start, end), content: bytes.subarray(contentStart, end) };
}

/** RFC 5280, section 4.1.2.5: UTCTime until 2049, GeneralizedTime from 2050, both in seconds and in UTC. */
export function toUnixMs({ tag, content }: Element): number {
  const text = content.toString('latin1');
  const [, year = '', rest = ''] = (tag === TAG.utcTime ? /^(\d{2})(\d{10})Z$/ : /^(\d{4})(\d{10})Z$/).exec(text) ?? [];
  const fullYear = tag === TAG.utcTime ? (Number(year) < 50 ? 2_000 : 1_900) + Number(year) : Number(year);
  const [month = 0, day = 0, hour = 0, minute = 0, second = 0] = (rest.match(/\d{2}/g) ?? []).map(Number);
  if (month === 0) throw new RangeError('not a time as certificates have it');
  return Date.UTC(fullYear, month - 1, day, hour, minute, second);
}
