/**
 * The routes of the HTTP server: the key sets and liveness. Answers come from buffers that were built once per
 * generation; nothing here waits for anything, so verifiers get their keys however busy the token is.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Application, KeySetSnapshot } from '../../app/application.ts';
import { DEFAULT_KEY_SET } from '../../base/ids.ts';
import type { Reason } from '../../base/reasons.ts';
import { matchesEntityTag } from './entity-tag.ts';

const WELL_KNOWN_PATH = '/.well-known/jwks.json';
const KEY_SET_PATH = /^\/([a-z][a-z0-9-]{0,62})\/jwks\.json$/;
const HEALTH_PATH = '/healthz';

const METHODS = 'GET, HEAD, OPTIONS';
const PREFLIGHT_MAX_AGE_SECONDS = 86_400;

/** RFC 7517, section 8.5.2: the registered type. None of the measured verifiers asks for another one. */
const JWKS_TYPE = 'application/jwk-set+json';
const JSON_TYPE = 'application/json; charset=utf-8';

/** On every answer: browsers' back ends and single-page applications fetch key sets from anywhere. */
const COMMON_HEADERS = [
  ['Access-Control-Allow-Origin', '*'],
  ['X-Content-Type-Options', 'nosniff'],
] as const;

type Headers = readonly (readonly [string, string | number])[];

export type HttpHandler = (request: IncomingMessage, response: ServerResponse) => void;

export function createJwksHandler(app: Pick<Application, 'findKeySet' | 'isKeySetWithheld'>): HttpHandler {
  const prepared = new WeakMap<KeySetSnapshot, PreparedKeySet>();
  return (request, response) => {
    const path = pathOf(request);
    if (request.method === 'OPTIONS') {
      sendPreflight(response);
      return;
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      sendError(request, response, {
        status: 405,
        reason: 'METHOD_NOT_FOUND',
        message: `only ${METHODS}`,
        headers: [['Allow', METHODS]],
      });
      return;
    }
    if (path === HEALTH_PATH) {
      send(request, response, {
        status: 200,
        headers: [
          ['Content-Type', JSON_TYPE],
          ['Cache-Control', 'no-store'],
        ],
        body: Buffer.from('{"status":"ok"}'),
      });
      return;
    }
    const keySet = path === WELL_KNOWN_PATH ? DEFAULT_KEY_SET : KEY_SET_PATH.exec(path)?.[1];
    const found = keySet === undefined ? undefined : app.findKeySet(keySet);
    if (found === undefined && keySet !== undefined && app.isKeySetWithheld(keySet)) {
      // Many verifiers keep the keys that they have when a fetch fails: better than any content that may be wrong.
      const message = 'the key set is not published until an operator has decided about it';
      sendError(request, response, { status: 503, reason: 'KEY_SET_WITHHELD', message, headers: [] });
      return;
    }
    if (found === undefined) {
      const message =
        keySet === undefined
          ? `no such path; key sets are at ${WELL_KNOWN_PATH} and /{keySet}/jwks.json`
          : 'no such key set, or it has no content yet';
      sendError(request, response, { status: 404, reason: 'KEY_SET_NOT_FOUND', message, headers: [] });
      return;
    }
    let answers = prepared.get(found);
    if (answers === undefined) {
      answers = prepare(found);
      prepared.set(found, answers);
    }
    send(
      request,
      response,
      matchesEntityTag(request.headers['if-none-match'], found.etag) ? answers.notModified : answers.full,
    );
  };
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer | undefined;
}

interface PreparedKeySet {
  readonly full: Answer;
  readonly notModified: Answer;
}

function prepare({ body, etag, maxAgeSeconds }: KeySetSnapshot): PreparedKeySet {
  const headers: Headers = [
    ['ETag', etag],
    ['Cache-Control', `public, max-age=${maxAgeSeconds}`],
    ['Access-Control-Expose-Headers', 'ETag'],
  ];
  return {
    full: { status: 200, headers: [...headers, ['Content-Type', JWKS_TYPE]], body },
    notModified: { status: 304, headers, body: undefined },
  };
}

function send(request: IncomingMessage, response: ServerResponse, { status, headers, body }: Answer): void {
  const length: Headers = body === undefined ? [] : [['Content-Length', body.length]];
  response.writeHead(status, [...COMMON_HEADERS, ...headers, ...length].flat());
  if (body === undefined || request.method === 'HEAD') response.end();
  else response.end(body);
}

function sendPreflight(response: ServerResponse): void {
  const headers: Headers = [
    ['Access-Control-Allow-Methods', METHODS],
    ['Access-Control-Allow-Headers', '*'],
    ['Access-Control-Max-Age', PREFLIGHT_MAX_AGE_SECONDS],
    ['Allow', METHODS],
  ];
  response.writeHead(204, [...COMMON_HEADERS, ...headers].flat());
  response.end();
}

interface HttpError {
  readonly status: number;
  readonly reason: Reason;
  readonly message: string;
  readonly headers: Headers;
}

/** An error that a cache keeps is an outage that lasts as long as the cache. */
function sendError(
  request: IncomingMessage,
  response: ServerResponse,
  { status, reason, message, headers }: HttpError,
): void {
  const body = Buffer.from(JSON.stringify({ error: reason, message }));
  send(request, response, {
    status,
    headers: [...headers, ['Content-Type', JSON_TYPE], ['Cache-Control', 'no-store']],
    body,
  });
}

function pathOf({ url = '' }: IncomingMessage): string {
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
}
