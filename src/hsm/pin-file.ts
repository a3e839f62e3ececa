/** Which PIN file a descriptor belongs to. */
import { fstatSync } from 'node:fs';

/** The same for a file that was written again, whose new content a descriptor of before shows, too. */
export function identifyPinFile(fd: number): string {
  const { dev, ino } = fstatSync(fd, { bigint: true });
  return `${dev}:${ino}`;
}
