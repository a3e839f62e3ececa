/** A PIN file that holds something else than the token's PIN. */
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface PlantedPin {
  openPlanted(): number;
  dispose(): void;
}

export function plantPin(pin: string): PlantedPin {
  const dir = mkdtempSync(join(tmpdir(), 'keyturn-pin-'));
  const file = join(dir, 'pin');
  writeFileSync(file, pin, { mode: 0o600 });
  return {
    openPlanted: () => openSync(file, 'r'),
    dispose() {
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
