// The document's WebSocket as text: one decoder turns it into types, one number says which wire
// this page was built for.
import type { Wire } from "./types";

/** Version of the wire, equal to `viewer.messages.PROTOCOL` (a test holds them together). */
export const PROTOCOL = 1;

export type ServerMessage = Wire["server"];
export type PageMessage = Wire["page"];

const TYPES: ReadonlySet<string> = new Set<ServerMessage["type"]>([
  "hello",
  "snapshot",
  "patch",
  "accepted",
  "rejected",
  "report",
  "progress",
  "closing",
  "pong",
  "undone",
  "take",
  "saved",
  "loaded",
]);

/** A message of the server; null for a type that this page doesn't know, which it may ignore. */
export function decode(text: string): ServerMessage | null {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null || !("type" in value)) return null;
  const { type } = value;
  return typeof type === "string" && TYPES.has(type) ? (value as ServerMessage) : null;
}
