// The brick stream's messages, as `viewer/bricks.py` writes them down.
import type { Notice } from "../wire/types";

/** Bytes before the voxels: a multiple of 8, so that they can be looked at where they lie. */
export const HEADER_BYTES = 48;

/** Bricks begin at multiples of so many bytes. */
const ALIGNMENT = 8;

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
  /** Labels that travel in fewer bytes than their dtype has: in so many, unsigned; else 0. */
  readonly bytesEach: number;
  /** Why it could not be had. */
  readonly failure: Notice | null;
  /** Its voxels: a part of a message that holds other bricks as well. */
  readonly payload: Uint8Array<ArrayBuffer>;
}

function readNotice(payload: Uint8Array): Notice {
  const text = new TextDecoder().decode(payload);
  const value: unknown = JSON.parse(text);
  if (typeof value === "object" && value !== null && "message" in value && "kind" in value) {
    return value as Notice;
  }
  return { kind: "source", message: text };
}

/** Binary message → its bricks, whose voxels are looked at where they lie. */
export function* decodeBricks(buffer: ArrayBuffer): Generator<BrickMessage> {
  const view = new DataView(buffer);
  for (let at = 0; at < buffer.byteLength;) {
    const flags = view.getUint8(at + 5);
    const payload = new Uint8Array(buffer, at + HEADER_BYTES, view.getUint32(at + 40, true));
    yield {
      volume: view.getUint32(at, true),
      level: view.getUint8(at + 4),
      z: view.getUint32(at + 8, true),
      y: view.getUint32(at + 12, true),
      x: view.getUint32(at + 16, true),
      generation: view.getUint32(at + 20, true),
      minimum: view.getFloat64(at + 24, true),
      maximum: view.getFloat64(at + 32, true),
      constant: (flags & CONSTANT) !== 0,
      bytesEach: view.getUint16(at + 6, true),
      failure: (flags & FAILED) !== 0 ? readNotice(payload) : null,
      payload,
    };
    at += HEADER_BYTES + Math.ceil(payload.byteLength / ALIGNMENT) * ALIGNMENT;
  }
}

export type StreamRequest =
  | { readonly type: "open"; volume: number; layer: string; point: readonly number[] }
  | { readonly type: "close"; volume: number }
  | { readonly type: "want"; generation: number; taken: number; bricks: readonly number[] }
  | { readonly type: "credit"; taken: number }
  | { readonly type: "narrow"; bytes: number };
