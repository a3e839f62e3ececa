/** What a key set answers, over gRPC: for one call and for a stream the same. */
import type { Application, KeySetSnapshot } from '../../app/application.ts';
import { KeyturnError } from '../../base/errors.ts';
import type { KeySetName } from '../../base/ids.ts';

export type PublishedKeySets = Pick<Application, 'findKeySet' | 'isKeySetWithheld' | 'hasKeySet'>;

/** Undefined before its first generation. Errors: KEY_SET_WITHHELD, KEY_SET_NOT_FOUND. */
export function findPublished(app: PublishedKeySets, name: KeySetName): KeySetSnapshot | undefined {
  if (app.isKeySetWithheld(name)) {
    throw new KeyturnError(
      'KEY_SET_WITHHELD',
      `key set ${name} is not published: the store may have forgotten what was withdrawn from it; decide with keyturn recover`,
      { subject: name, rule: 'fence' },
    );
  }
  const found = app.findKeySet(name);
  if (found !== undefined || app.hasKeySet(name)) return found;
  throw new KeyturnError(
    'KEY_SET_NOT_FOUND',
    `there is no key set ${name}; the configuration's keySets name those that there are`,
    { subject: name },
  );
}
