/** The one route of the metrics listener, and the counter in front of the public one. */
import type { ServerResponse } from 'node:http';
import { toKeyturnError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { HttpHandler } from './jwks-handler.ts';

const METRICS_PATH = '/metrics';
const PLAIN_TYPE = 'text/plain; charset=utf-8';

export function createMetricsHandler(
  telemetry: Pick<Telemetry, 'contentType' | 'toText'>,
  log: Pick<Logger, 'error'>,
): HttpHandler {
  const answer = async (response: ServerResponse, isHead: boolean): Promise<void> => {
    try {
      const text = Buffer.from(await telemetry.toText());
      send(response, 200, telemetry.contentType, isHead ? undefined : text);
    } catch (thrown) {
      log.error({ err: toKeyturnError(thrown) }, 'the metrics could not be written');
      send(response, 500, PLAIN_TYPE, Buffer.from('the daemon log has the cause\n'));
    }
  };
  return (request, response) => {
    const { method, url = '' } = request;
    if (method !== 'GET' && method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      send(response, 405, PLAIN_TYPE, Buffer.from('only GET and HEAD\n'));
    } else if (url.split('?')[0] === METRICS_PATH) {
      void answer(response, method === 'HEAD');
    } else {
      send(response, 404, PLAIN_TYPE, Buffer.from(`metrics are at ${METRICS_PATH}\n`));
    }
  };
}

/** Counts the answers of a handler that answers in the same turn, as the JWKS handler does. */
export function countingAnswers(handler: HttpHandler, count: (status: number) => void): HttpHandler {
  return (request, response) => {
    handler(request, response);
    count(response.statusCode);
  };
}

function send(response: ServerResponse, status: number, type: string, body: Buffer | undefined): void {
  response.writeHead(status, {
    'Content-Type': type,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(body);
}
