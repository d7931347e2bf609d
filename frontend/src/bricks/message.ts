// The brick stream's messages, as `viewer/bricks.py` writes them down.
import type { Notice } from "../wire/types";

/** Bytes before the voxels: a multiple of 8, so that they can be looked at where they lie. */
export const HEADER_BYTES = 40;

const CONSTANT = 1;
const FAILED = 2;

export interface BrickMessage {
  readonly volume: number;
  readonly level: number;
  readonly z: number;
  readonly y: number;
  readonly x: number;
  readonly generation: number;
  readonly minimum: number;
  readonly maximum: number;
  /** All voxels are equal and only one was sent. */
  readonly constant: boolean;
  /** Why it could not be had. */
  readonly failure: Notice | null;
  readonly buffer: ArrayBuffer;
}

function readNotice(buffer: ArrayBuffer): Notice {
  const text = new TextDecoder().decode(new Uint8Array(buffer, HEADER_BYTES));
  const value: unknown = JSON.parse(text);
  if (typeof value === "object" && value !== null && "message" in value && "kind" in value) {
    return value as Notice;
  }
  return { kind: "source", message: text };
}

/** Binary message → brick. */
export function decodeBrick(buffer: ArrayBuffer): BrickMessage {
  const view = new DataView(buffer);
  const flags = view.getUint8(5);
  return {
    volume: view.getUint32(0, true),
    level: view.getUint8(4),
    z: view.getUint32(8, true),
    y: view.getUint32(12, true),
    x: view.getUint32(16, true),
    generation: view.getUint32(20, true),
    minimum: view.getFloat64(24, true),
    maximum: view.getFloat64(32, true),
    constant: (flags & CONSTANT) !== 0,
    failure: (flags & FAILED) !== 0 ? readNotice(buffer) : null,
    buffer,
  };
}

export type StreamRequest =
  | { readonly type: "open"; volume: number; layer: string; point: readonly number[] }
  | { readonly type: "close"; volume: number }
  | { readonly type: "want"; generation: number; bricks: readonly number[] }
  | { readonly type: "credit"; bytes: number };
