// The container's HEALTHCHECK: exit code 0 when the daemon answers at the given address. The slim image has no curl.
const TIMEOUT_MS = 2_500;

const url = process.argv[2];
if (url === undefined) {
  console.error('usage: healthcheck.mjs URL');
  process.exitCode = 2;
} else {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    process.exitCode = response.ok ? 0 : 1;
  } catch {
    process.exitCode = 1;
  }
}
