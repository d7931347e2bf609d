// What lies between the page and the server. Whether bricks arrive in a moment: the server is on this
// machine, or as near as that. An address of this machine may also be the end of a tunnel to another
// one (ssh -L); the page's own files tell that, by how long they took, and whether the way is narrow.

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

/**
 * Milliseconds for which bricks may wait somewhere on a narrow way, beyond what is travelling, as the
 * server has it when it has measured.
 */
const QUEUE_MILLISECONDS = 100;

const isSent = ({ transferSize }: Loaded): boolean => transferSize > 0;

const isLarge = ({ transferSize }: Loaded): boolean => transferSize >= LARGE;

/** Milliseconds from the question to the first of the answer. */
const delayOf = ({ requestStart, responseStart }: Loaded): number => responseStart - requestStart;

/** Bytes a millisecond. */
const rateOf = ({ transferSize, responseStart, responseEnd }: Loaded): number =>
  transferSize / Math.max(responseEnd - responseStart, 1e-3);

/** `hostname` as in a URL; `loaded` is what has come from there so far. */
export function isNear(hostname: string, loaded: readonly Loaded[]): boolean {
  const isLoopback =
    hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
  if (!isLoopback) return false;
  // Files wait for each other: the best of them counts.
  const delay = Math.min(...loaded.filter(isSent).map(delayOf));
  return (delay < FAR_MILLISECONDS || !loaded.some(isSent)) && narrowBytes(loaded) === null;
}

/**
 * Bytes of bricks on their way at once that suffice, of a way that is narrow; else null. More would
 * have to arrive before anything else that is wanted then.
 */
export function narrowBytes(loaded: readonly Loaded[]): number | null {
  if (!loaded.some(isLarge)) return null;
  const rate = Math.max(...loaded.filter(isLarge).map(rateOf));
  const delay = Math.min(...loaded.filter(isSent).map(delayOf));
  return rate < NARROW ? Math.ceil(rate * (2 * delay + QUEUE_MILLISECONDS)) : null;
}

/** What this page has loaded so far, itself included. */
export function loadedFiles(): Loaded[] {
  const kinds = ["navigation", "resource"];
  return kinds.flatMap((kind) => performance.getEntriesByType(kind) as PerformanceResourceTiming[]);
}
