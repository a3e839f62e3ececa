import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/system-clock.ts';
import type { CommandContext, Options } from '../../src/commands/command.ts';
import { findConfigFile } from '../../src/commands/config-file.ts';
import { chooseTarget } from '../../src/commands/connection.ts';
import { toConfigurationDocument } from '../../src/commands/init-documents.ts';
import type { Terminal } from '../../src/commands/terminal.ts';

const SILENT: Terminal = {
  print: () => undefined,
  printJson: () => undefined,
  note: () => undefined,
  error: () => undefined,
  hint: () => undefined,
  readInput: () => Promise.resolve(Buffer.alloc(0)),
  isInteractive: () => false,
  readLine: () => Promise.resolve(''),
};

let cwd = '';
beforeEach(() => {
  cwd = mkdtempSync(path.join(tmpdir(), 'keyturn-connection-'));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

function contextWith(configFileVariable?: string): CommandContext {
  return { terminal: SILENT, clock: systemClock, workingDirectory: cwd, configFileVariable };
}

function writeConfig(file: string, grpcAddress = '127.0.0.1:8443', change = (text: string): string => text): string {
  const target = path.join(cwd, file);
  mkdirSync(path.dirname(target), { recursive: true });
  const document = toConfigurationDocument({
    tokenLabel: 'keyturn',
    moduleFile: '/usr/lib/softhsm/libsofthsm2.so',
    softhsmConfigFile: path.join(cwd, 'softhsm2.conf'),
    grpcAddress,
    httpAddress: '127.0.0.1:8080',
    isDemo: false,
  });
  writeFileSync(target, change(document));
  return target;
}

describe('the configuration file', () => {
  it('is the one named by --config before the one in the environment, before the usual places', () => {
    const usual = writeConfig('.keyturn/keyturn.yaml');
    expect(findConfigFile(contextWith(), {})).toBe(usual);
    const nearer = writeConfig('keyturn.yaml');
    expect(findConfigFile(contextWith(), {})).toBe(nearer);
    expect(findConfigFile(contextWith('from-environment.yaml'), {})).toBe(path.join(cwd, 'from-environment.yaml'));
    expect(findConfigFile(contextWith('from-environment.yaml'), { config: 'x.yaml' })).toBe(path.join(cwd, 'x.yaml'));
  });
});

describe('the way to the daemon', () => {
  it('is the Unix socket that is named, without any configuration', async () => {
    expect(await chooseTarget(contextWith(), { socket: 'admin.sock' })).toEqual({
      unixSocket: path.join(cwd, 'admin.sock'),
    });
  });

  it('is the Unix socket of the caller admin when nothing is said', async () => {
    writeConfig('keyturn.yaml', undefined, (text) =>
      text.replace('  unix:\n', '  unix:\n    - path: run/first.sock\n      caller: somebody\n'),
    );
    expect(await chooseTarget(contextWith(), {})).toEqual({ unixSocket: path.join(cwd, 'run/admin.sock') });
  });

  it('is mTLS to the configured address, with the certificate that init made, for --as', async () => {
    writeConfig('.keyturn/keyturn.yaml', '0.0.0.0:8443');
    const tls = (name: string): string => path.join(cwd, '.keyturn/tls', name);
    expect(await chooseTarget(contextWith(), { as: 'auth-service' })).toEqual({
      address: '127.0.0.1:8443',
      caFile: tls('development-ca.pem'),
      certificateFile: tls('auth-service.pem'),
      privateKeyFile: tls('auth-service.key'),
    });
  });

  it('needs no configuration when everything is named', async () => {
    const options: Options = {
      address: '[::1]:9',
      ca: 'ca.pem',
      cert: 'me.pem',
      key: 'me.key',
      serverName: 'keyturn.example',
    };
    expect(await chooseTarget(contextWith(), options)).toEqual({
      address: '[::1]:9',
      caFile: path.join(cwd, 'ca.pem'),
      certificateFile: path.join(cwd, 'me.pem'),
      privateKeyFile: path.join(cwd, 'me.key'),
      serverName: 'keyturn.example',
    });
  });

  it('is refused while a part of mTLS is missing, or the port is left to the system', async () => {
    await expect(chooseTarget(contextWith(), { address: 'a:1', cert: 'c', key: 'k' })).rejects.toMatchObject({
      details: { field: '--ca' },
    });
    writeConfig('keyturn.yaml', '127.0.0.1:0');
    await expect(chooseTarget(contextWith(), { as: 'operator' })).rejects.toMatchObject({ reason: 'FIELD_INVALID' });
  });

  it('never lets --as leave the folder of the certificates', async () => {
    writeConfig('keyturn.yaml');
    await expect(chooseTarget(contextWith(), { as: '../../elsewhere/key' })).rejects.toMatchObject({
      reason: 'FIELD_INVALID',
    });
  });
});
