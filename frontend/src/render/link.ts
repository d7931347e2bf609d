// Whether bricks arrive in a moment: the server is on this machine, or as near as that. An address
// of this machine may also be the end of a tunnel to another one (ssh -L); the page's own files
// tell that, by how long they took.

/** Of a file that the page has loaded; times in milliseconds, as browsers keep them. */
export interface Loaded {
  readonly requestStart: number;
  readonly responseStart: number;
  readonly responseEnd: number;
  /** Bytes; 0 for what was not asked of the server. */
  readonly transferSize: number;
}

/**
 * Milliseconds from which on even the quickest answer came from far away: this machine gives it in
 * one or two, in ten when it is busy.
 */
const FAR_MILLISECONDS = 40;

/** Bytes a millisecond: below it the way is narrow, here or in between. This machine has 30,000. */
const NARROW = 3_000;

/** Bytes from which on a file tells how wide the way is. */
const LARGE = 64 * 1024;

/** `hostname` as in a URL; `loaded` is what has come from there so far. */
export function isNear(hostname: string, loaded: readonly Loaded[]): boolean {
  const isLoopback =
    hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
  if (!isLoopback) return false;
  const sent = loaded.filter(({ transferSize }) => transferSize > 0);
  const isFar = (file: Loaded): boolean =>
    file.responseStart - file.requestStart >= FAR_MILLISECONDS;
  const isSlow = (file: Loaded): boolean =>
    file.transferSize < NARROW * (file.responseEnd - file.responseStart);
  const large = sent.filter(({ transferSize }) => transferSize >= LARGE);
  // Files wait for each other: the best of them counts.
  return !((sent.length > 0 && sent.every(isFar)) || (large.length > 0 && large.every(isSlow)));
}

/** What this page has loaded so far, itself included. */
export function loadedFiles(): Loaded[] {
  const kinds = ["navigation", "resource"];
  return kinds.flatMap((kind) => performance.getEntriesByType(kind) as PerformanceResourceTiming[]);
}
