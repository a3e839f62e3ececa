/** Bytes for the daemon's listeners: frames of HTTP/2 that lie, and HTTP/1.1 as smugglers write it. */
import fc from 'fast-check';
import { mutatedText } from './mutations.ts';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const frame = fc
  .record({
    type: fc.oneof({ weight: 5, arbitrary: fc.nat(9) }, { weight: 1, arbitrary: fc.nat(255) }),
    flags: fc.oneof(fc.constantFrom(0, 1, 4, 5, 0x25), fc.nat(255)),
    stream: fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(0, 1, 1, 3, 2) },
      { weight: 1, arbitrary: fc.nat(0x7fff_ffff) },
    ),
    payload: fc.oneof(fc.uint8Array({ maxLength: 32 }), fc.constantFrom(...hpackBlocks())),
    lie: fc.oneof(
      { weight: 8, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ min: -8, max: 70_000 }) },
    ),
  })
  .map(toFrame);

interface FrameParts {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Uint8Array;
  /** How much longer the frame says it is. */
  readonly lie: number;
}

function toFrame({ type, flags, stream, payload, lie }: FrameParts): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(Math.min(0xff_ffff, Math.max(0, payload.length + lie)), 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Literal headers without indexing: complete requests, odd ones, and a bomb of index references. */
function hpackBlocks(): readonly Buffer[] {
  const literal = (name: string, value: string): Buffer =>
    Buffer.concat([Buffer.from([0, name.length]), Buffer.from(name), Buffer.from([value.length]), Buffer.from(value)]);
  const request = (...more: readonly Buffer[]): Buffer =>
    Buffer.concat([
      Buffer.from([0x83, 0x86]),
      literal(':path', '/keyturn.v1.SigningService/SignJwt'),
      literal(':authority', 'localhost'),
      literal('content-type', 'application/grpc'),
      literal('te', 'trailers'),
      ...more,
    ]);
  return [
    request(),
    request(literal('grpc-timeout', '99999999H')),
    request(literal('grpc-timeout', '-1S')),
    request(literal('grpc-encoding', 'gzip')),
    request(literal('grpc-encoding', 'x')),
    request(literal('Upper', 'x'), literal(':late', 'x')),
    request(literal('connection', 'close'), literal('transfer-encoding', 'chunked')),
    Buffer.from([0x82]),
    Buffer.alloc(32, 0xbe),
    Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]),
  ];
}

const SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
/** A whole request on stream 1: its headers, and a message of gRPC or what claims to be one. */
const wholeRequest = fc
  .tuple(fc.constantFrom(...hpackBlocks()), fc.constantFrom(0, 1, 2, 255), fc.uint8Array({ maxLength: 24 }), fc.nat(40))
  .map(([block, compression, body, length]) => [
    toFrame({ type: 1, flags: 4, stream: 1, payload: block, lie: 0 }),
    toFrame({
      type: 0,
      flags: 1,
      stream: 1,
      payload: Buffer.concat([Buffer.from([compression, 0, 0, 0, length]), body]),
      lie: 0,
    }),
  ]);
/** For a listener of HTTP/2. */
export const http2 = fc
  .tuple(
    fc.constantFrom([PREFACE, SETTINGS], [PREFACE, SETTINGS], [PREFACE], []),
    fc.oneof(
      wholeRequest,
      fc.array(frame, { maxLength: 6 }),
      fc.tuple(wholeRequest, frame).map(([whole, more]) => [more, ...whole]),
    ),
  )
  .map(([start, frames]) => Buffer.concat([...start, ...frames]));

const REQUESTS = ['/.well-known/jwks.json', '/default/jwks.json', '/healthz', '/', '/x/jwks.json'].flatMap((path) => [
  `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
  `HEAD ${path} HTTP/1.1\r\nHost: x\r\nIf-None-Match: "a", W/"b"\r\nConnection: close\r\n\r\n`,
]);
const HTTP_TOKENS = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  ' ',
  '\t',
  ':',
  'HTTP/1.0',
  'HTTP/0.9',
  'HTTP/9.9',
  'HTTP/2.0',
  'POST ',
  'OPTIONS ',
  'TRACE ',
  'CONNECT ',
  'get ',
  '%00',
  '%2e%2e/',
  '../',
  '//',
  '?',
  '#',
  '*',
  '\x80',
  '\uffff',
  'Content-Length: 5\r\n',
  'Content-Length: 0\r\nContent-Length: 5\r\n',
  'Content-Length: -1\r\n',
  'Content-Length: 1e9\r\n',
  'Content-Length : 5\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding: chunked, identity\r\n',
  'Transfer-Encoding:\x0bchunked\r\n',
  'Host: y\r\n',
  'Expect: 100-continue\r\n',
  'Upgrade: h2c\r\nConnection: Upgrade\r\n',
  'X: y\r\n z\r\n',
  'Range: bytes=0-0\r\n',
  `X: ${'y'.repeat(9_000)}\r\n`,
  '5\r\nhello\r\n0\r\n\r\n',
  'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n',
];
/** For a listener of HTTP/1.1. */
export const http1 = fc.oneof(
  {
    weight: 8,
    arbitrary: mutatedText(fc.constantFrom(...REQUESTS), HTTP_TOKENS).map((text) => Buffer.from(text, 'latin1')),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)) },
);
