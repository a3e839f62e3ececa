/** How a command reaches the daemon: decides the way, opens the client for one command, closes it afterwards. */
import path from 'node:path';
import { KeyturnError } from '../base/errors.ts';
import { parseCallerName } from '../base/ids.ts';
import type { ClientTarget, KeyturnClient } from '../client/client.ts';
import type { Config, TlsListenerConfig, UnixListenerConfig } from '../config/config.ts';
import { textOption, type CommandContext, type Options } from './command.ts';
import { requireConfigFile } from './config-file.ts';
import { certificatePath, LAYOUT, privateKeyPath } from './init-documents.ts';

const ADMIN_CALLER = 'admin';
const TLS_OPTIONS = ['address', 'as', 'cert', 'key'] as const;
/** Addresses that mean "every interface" and can't be connected to. */
const WILDCARD_HOSTS = ['0.0.0.0', '::'];

/** Opens a client the way the options say, gives it to `use`, and closes it. */
export async function withClient<T>(
  context: CommandContext,
  options: Options,
  use: (client: KeyturnClient) => Promise<T>,
): Promise<T> {
  const target = await chooseTarget(context, options);
  const { createKeyturnClient } = await import('../client/client.ts');
  const client = createKeyturnClient({ target });
  try {
    return await use(client);
  } finally {
    client.close();
  }
}

/** Whether the user says where the daemon is; otherwise the configuration does. */
export function isTargetNamed(options: Options): boolean {
  return ['socket', ...TLS_OPTIONS].some((name) => options[name] !== undefined);
}

export async function chooseTarget(context: CommandContext, options: Options): Promise<ClientTarget> {
  const socket = textOption(options, 'socket');
  if (socket !== undefined) return { unixSocket: path.resolve(context.workingDirectory, socket) };
  return TLS_OPTIONS.some((name) => options[name] !== undefined)
    ? chooseTlsTarget(context, options)
    : unixTarget(await readConfig(context, options));
}

async function chooseTlsTarget(context: CommandContext, options: Options): Promise<ClientTarget> {
  const own = (name: string): string | undefined => {
    const file = textOption(options, name);
    return file === undefined ? undefined : path.resolve(context.workingDirectory, file);
  };
  const named = textOption(options, 'as');
  const caller = named === undefined ? undefined : parseCallerName(named, '--as');
  const made = (file: string): string | undefined => {
    return caller === undefined ? undefined : path.join(path.dirname(requireConfigFile(context, options)), file);
  };
  const serverName = textOption(options, 'serverName');
  return {
    address: textOption(options, 'address') ?? tlsAddress(await readConfig(context, options)),
    caFile: requireFile(own('ca') ?? made(LAYOUT.authorityCertificate), '--ca'),
    certificateFile: requireFile(own('cert') ?? made(certificatePath(caller ?? '')), '--cert'),
    privateKeyFile: requireFile(own('key') ?? made(privateKeyPath(caller ?? '')), '--key'),
    ...(serverName === undefined ? {} : { serverName }),
  };
}

async function readConfig(context: CommandContext, options: Options): Promise<Config> {
  const file = requireConfigFile(context, options);
  const { loadConfig } = await import('../config/load-config.ts');
  return loadConfig(file);
}

function unixTarget(config: Config): ClientTarget {
  const listeners = config.grpcListeners.filter((listener): listener is UnixListenerConfig => listener.kind === 'unix');
  const chosen = listeners.find(({ caller }) => caller === ADMIN_CALLER) ?? listeners[0];
  if (chosen !== undefined) return { unixSocket: chosen.path };
  throw new KeyturnError(
    'FIELD_INVALID',
    `${config.file} has no Unix socket; connect with --address, --ca, --cert and --key`,
  );
}

/** The configuration's TLS listener as an address to connect to. */
export function tlsAddress(config: Config): string {
  const listener = config.grpcListeners.find((candidate): candidate is TlsListenerConfig => candidate.kind === 'tls');
  if (listener === undefined)
    throw new KeyturnError('FIELD_INVALID', `${config.file} has no TLS listener; name one with --address`);
  if (listener.port === 0) {
    throw new KeyturnError(
      'FIELD_INVALID',
      `${config.file} lets the system choose the port; name the address with --address`,
    );
  }
  return toAddress(connectableHost(listener.host), listener.port);
}

export function connectableHost(host: string): string {
  if (!WILDCARD_HOSTS.includes(host)) return host;
  return host === '::' ? '::1' : '127.0.0.1';
}

export function toAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function requireFile(file: string | undefined, option: string): string {
  if (file !== undefined) return file;
  throw new KeyturnError('FIELD_INVALID', `${option} is missing: mTLS needs --ca, --cert and --key, or --as`, {
    field: option,
  });
}
