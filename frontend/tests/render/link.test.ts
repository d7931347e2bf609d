import { describe, expect, it } from "vitest";
import { isNear, narrowBytes, type Loaded } from "../../src/render/link";

/** A file that was answered after, and came in, so many milliseconds. */
function file(transferSize: number, answered: number, took: number): Loaded {
  const responseStart = 100 + answered;
  return { requestStart: 100, responseStart, responseEnd: responseStart + took, transferSize };
}

describe("whether the server is near", () => {
  it("is not so under another machine's name", () => {
    expect(isNear("example.org", [file(250_000, 1, 2)])).toBe(false);
  });

  it("is so on this machine, also a busy one", () => {
    expect(isNear("localhost", [])).toBe(true);
    expect(isNear("127.0.0.1", [file(985, 2, 19), file(256_599, 66, 9)])).toBe(true);
    expect(isNear("127.0.0.1", [file(300, 10, 7), file(0, 0, 0), file(300, 225, 1)])).toBe(true);
  });

  it("is not so at the end of a long tunnel, whatever the browser has kept", () => {
    expect(isNear("127.0.0.1", [file(300, 106, 11), file(0, 0, 0), file(300, 108, 2)])).toBe(false);
  });

  it("is not so at the end of a narrow tunnel", () => {
    expect(isNear("[::1]", [file(985, 6, 2), file(256_599, 23, 241)])).toBe(false);
  });
});

describe("how much may be on a narrow way", () => {
  it("is what comes in twice the delay and a tenth of a second, by the best of the files", () => {
    const narrow = [file(985, 100, 2), file(250_000, 105, 250), file(100_000, 130, 400)];
    expect(narrowBytes(narrow)).toBe(300_000);
  });

  it("is not said of other ways, nor where no file tells", () => {
    expect(narrowBytes([file(985, 50, 2), file(256_599, 60, 9)])).toBeNull();
    expect(narrowBytes([file(985, 100, 200), file(0, 0, 0)])).toBeNull();
    expect(narrowBytes([])).toBeNull();
  });
});
