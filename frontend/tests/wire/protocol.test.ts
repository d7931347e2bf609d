import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { PROTOCOL, decode } from "../../src/wire/protocol";
import { backoff } from "../../src/wire/socket";

test("the page is built for the wire of the Python package beside it", async () => {
  const source = await readFile(new URL("../../../viewer/messages.py", import.meta.url), "utf8");
  expect(source).toMatch(new RegExp(`^PROTOCOL = ${PROTOCOL}$`, "m"));
});

test("a known message is decoded, an unknown one passed over", () => {
  expect(decode('{"type":"pong","time":1}')).toEqual({ type: "pong", time: 1 });
  expect(decode('{"type":"from the future"}')).toBeNull();
  expect(decode("[]")).toBeNull();
});

test("attempts to reconnect start quickly and become patient", () => {
  const delays = [1, 2, 3, 4, 5, 6, 50].map(backoff);
  expect(delays).toEqual([500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
});
