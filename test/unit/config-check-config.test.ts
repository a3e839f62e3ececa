import { execFileSync } from 'node:child_process';
import { closeSync, readSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hasReason } from '../../src/base/errors.ts';
import { checkConfig, requireUsableConfig } from '../../src/config/check-config.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { openSecretFile } from '../../src/config/secrets.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyturn-config-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const at = (name: string): string => join(folder, name);

async function writeSecret(name: string, mode = 0o600, text = '1234'): Promise<string> {
  await writeFile(at(name), text);
  await chmod(at(name), mode);
  return at(name);
}

describe('openSecretFile', () => {
  it.each([0o600, 0o400])('opens a file of mode %o and has read nothing of it', async (mode) => {
    const descriptor = openSecretFile(await writeSecret('pin', mode));
    const bytes = Buffer.alloc(16);
    expect(bytes.toString('utf8', 0, readSync(descriptor, bytes))).toBe('1234');
    closeSync(descriptor);
  });

  it.each([0o640, 0o604, 0o610, 0o666])('refuses mode %o and says how to mend it', async (mode) => {
    const path = await writeSecret('pin', mode);
    expect(() => openSecretFile(path)).toThrow(
      expect.objectContaining({ reason: 'SECRET_FILE_EXPOSED', message: expect.stringContaining(`chmod 600 ${path}`) }),
    );
  });

  it('judges the file behind a symbolic link', async () => {
    await symlink(await writeSecret('target', 0o644), at('pin'));
    expect(() => openSecretFile(at('pin'))).toThrow(
      expect.toSatisfy((error) => hasReason(error, 'SECRET_FILE_EXPOSED')),
    );
    await chmod(at('target'), 0o600);
    closeSync(openSecretFile(at('pin')));
  });

  it('refuses what is missing, empty or no file, and does not wait for a FIFO', async () => {
    await writeSecret('empty', 0o600, '');
    await mkdir(at('folder'), { mode: 0o700 });
    execFileSync('mkfifo', ['-m', '600', at('fifo')]);
    for (const name of ['missing', 'empty', 'folder', 'fifo']) {
      expect(() => openSecretFile(at(name))).toThrow(
        expect.toSatisfy((error) => hasReason(error, 'SECRET_FILE_UNREADABLE')),
      );
    }
  });

  it.skipIf(process.getuid?.() !== 0)('refuses a file of another user', async () => {
    execFileSync('chown', ['12345', await writeSecret('pin')]);
    expect(() => openSecretFile(at('pin'))).toThrow(
      expect.objectContaining({ reason: 'SECRET_FILE_EXPOSED', message: expect.stringContaining('chown') }),
    );
  });
});

async function writeGoodFiles(): Promise<string> {
  await writeFile(at('module.so'), 'x');
  await writeSecret('pin');
  await mkdir(at('run'), { mode: 0o700 });
  await writeFile(at('access-policy.yaml'), 'version: 1\n');
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-subj',
      '/CN=t',
      '-days',
      '2',
      '-keyout',
      at('key.pem'),
      '-out',
      at('cert.pem'),
    ],
    { stdio: 'ignore' },
  );
  await chmod(at('key.pem'), 0o600);
  await writeFile(
    at('keyturn.yaml'),
    `grpc:
  tls: { address: "127.0.0.1:0", certificate: cert.pem, privateKey: key.pem, clientCa: cert.pem, callerName: dns }
  unix: [{ path: run/admin.sock, caller: admin }]
token: { module: module.so, label: keyturn, pinFile: pin }
store: { file: keyturn.db }
accessPolicy: access-policy.yaml
`,
  );
  return at('keyturn.yaml');
}

describe('checkConfig', () => {
  it('finds nothing where everything is well', async () => {
    expect(await checkConfig(await loadConfig(await writeGoodFiles()))).toEqual([]);
  });

  it('finds everything that is wrong on the disk at once', async () => {
    const config = await loadConfig(await writeGoodFiles());
    await rm(at('module.so'));
    await chmod(at('pin'), 0o644);
    await chmod(at('key.pem'), 0o640);
    await chmod(at('run'), 0o755);
    await writeFile(at('cert.pem'), 'no certificate');
    await writeFile(at('access-policy.yaml'), 'version: 1\nextra: 1\nother: 2\n');
    const problems = await checkConfig({ ...config, storeFile: at('nowhere/keyturn.db') });
    expect(problems.map(({ path }) => path)).toEqual([
      'grpc.tls.certificate',
      'grpc.tls.privateKey',
      'grpc.tls.clientCa',
      'grpc.unix[0].path',
      'token.module',
      'token.pinFile',
      'store.file',
      'accessPolicy',
      'accessPolicy',
    ]);
  });

  it.each([
    ['configuration', 'keyturn.yaml', 0o646, 'chmod o-w'],
    ['accessPolicy', 'access-policy.yaml', 0o666, 'chmod o-w'],
    ['token.module', 'module.so', 0o757, 'chmod o-w'],
    ['grpc.tls.clientCa', 'cert.pem', 0o666, 'chmod o-w'],
    ['store.file', 'keyturn.db', 0o640, 'chmod 600'],
    ['store.file', 'keyturn.db-wal', 0o604, 'chmod 600'],
    ['store.file', 'keyturn.db.reserve', 0o660, 'chmod 600'],
  ])('finds that others have access to %s (%s, mode %o), and says how to mend it', async (path, name, mode, mend) => {
    const config = await loadConfig(await writeGoodFiles());
    if (path === 'store.file')
      for (const file of ['keyturn.db', 'keyturn.db.reserve', name]) await writeFile(at(file), 'x', { mode: 0o600 });
    await chmod(at(name), mode);
    const message = expect.stringContaining(`${mend} ${at(name)}`);
    expect(await checkConfig(config)).toEqual([{ path, message, reason: 'FILE_EXPOSED' }]);
  });

  it.each([
    [0o755, 'chmod o-rx'],
    [0o770, 'chmod go-w'],
    [0o750, undefined],
    [0o700, undefined],
  ])("judges the audit log's folder: mode %o", async (mode, mend) => {
    const config = await loadConfig(await writeGoodFiles());
    const directory = config.audit?.directory ?? '';
    await mkdir(directory);
    await chmod(directory, mode);
    const message = expect.stringContaining(`${mend} ${directory}`);
    expect(await checkConfig(config)).toEqual(
      mend === undefined ? [] : [{ path: 'audit.directory', message, reason: 'FILE_EXPOSED' }],
    );
  });

  it("never asks for another mode of a file that is no store: the configuration's mistake is another one", async () => {
    const config = await loadConfig(await writeGoodFiles());
    await writeFile(at('letters.txt'), 'dear', { mode: 0o644 });
    expect(await checkConfig({ ...config, storeFile: at('letters.txt') })).toEqual([]);
  });

  it('lets a group look after the access policy, and a folder as /tmp hold the store', async () => {
    const config = await loadConfig(await writeGoodFiles());
    await chmod(at('access-policy.yaml'), 0o664);
    await mkdir(at('shared'));
    await chmod(at('shared'), 0o1777);
    expect(await checkConfig({ ...config, storeFile: at('shared/keyturn.db') })).toEqual([]);
    await chmod(at('shared'), 0o777);
    expect(await checkConfig({ ...config, storeFile: at('shared/keyturn.db') })).toMatchObject([
      { path: 'store.file', reason: 'FILE_EXPOSED' },
    ]);
  });

  it('finds a private key that belongs to another certificate, and never shows it', async () => {
    const config = await loadConfig(await writeGoodFiles());
    execFileSync('openssl', ['genpkey', '-algorithm', 'ed25519', '-out', at('key.pem')]);
    expect(await checkConfig(config)).toEqual([
      expect.objectContaining({
        path: 'grpc.tls.privateKey',
        message: expect.stringContaining('is not the private key of'),
      }),
    ]);
  });

  it('refuses to start with the reason of the only problem, or CONFIG_INVALID for several', async () => {
    const config = await loadConfig(await writeGoodFiles());
    await expect(requireUsableConfig(config)).resolves.toBeUndefined();
    await chmod(at('pin'), 0o644);
    await expect(requireUsableConfig(config)).rejects.toMatchObject({
      reason: 'SECRET_FILE_EXPOSED',
      message: expect.stringContaining('token.pinFile: '),
    });
    await rm(at('module.so'));
    await expect(requireUsableConfig(config)).rejects.toMatchObject({ reason: 'CONFIG_INVALID' });
  });

  it('says which file a missing configuration is', async () => {
    await expect(loadConfig(at('keyturn.yaml'))).rejects.toMatchObject({
      reason: 'CONFIG_INVALID',
      message: expect.stringContaining(at('keyturn.yaml')),
    });
  });
});
