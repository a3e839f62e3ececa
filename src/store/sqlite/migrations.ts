/**
 * The schema, as numbered steps: step N takes a file from `user_version` N − 1 to N in one transaction. A step that
 * was released is never edited; a change is a new step. Readers of old files go through all the steps they lack.
 */

/** `application_id` of every store file: the four bytes "KTRN". Anything else is not ours and is not opened. */
export const APPLICATION_ID = 0x4b_54_52_4e;

export const MIGRATIONS: readonly string[] = [
  // 1. The event log. `data` holds the members of an event besides its type and time. The triggers make what the code
  // relies on a property of the file: sequences have no gaps, and what was written once is never changed or removed
  // (the first one also stops INSERT OR REPLACE, which deletes without firing the last one).
  `CREATE TABLE events (
     stream TEXT NOT NULL,
     sequence INTEGER NOT NULL CHECK (sequence > 0),
     type TEXT NOT NULL,
     at_ms INTEGER NOT NULL,
     data TEXT NOT NULL CHECK (json_valid(data)),
     PRIMARY KEY (stream, sequence)
   ) STRICT, WITHOUT ROWID;

   CREATE TRIGGER events_are_gapless BEFORE INSERT ON events
   WHEN NEW.sequence <> (SELECT coalesce(max(sequence), 0) + 1 FROM events WHERE stream = NEW.stream)
   BEGIN SELECT RAISE(ABORT, 'the sequence of a stream has no gaps'); END;

   CREATE TRIGGER events_are_not_changed BEFORE UPDATE ON events
   BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;

   CREATE TRIGGER events_are_not_removed BEFORE DELETE ON events
   BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;`,
];

export const SCHEMA_VERSION = MIGRATIONS.length;
