/** Labels and serials are padded with blanks by the standard, and with NULs by some tokens. */
export function unpad(text: string): string {
  let end = text.length;
  while (end > 0 && (text[end - 1] === ' ' || text[end - 1] === '\0')) end -= 1;
  return text.slice(0, end);
}
