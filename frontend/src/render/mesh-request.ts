// What the server is asked for a mesh, and what it says when there is none.
import type { Notice } from "../wire/types";

export function pointQuery(point: readonly number[]): string {
  return point.length > 0 ? `?point=${point.join(",")}` : "";
}

/**
 * A mesh of this level: of the piece that holds the voxel `seed` where there is one, with faces
 * taken out as far as that moves the surface by no more than `tolerance`, in the layer's unit.
 */
export function meshAddress(
  url: string,
  level: number,
  seed: readonly number[] | null,
  tolerance: number,
): string {
  const query = level > 0 ? [`level=${level}`] : [];
  if (seed !== null) query.push(`seed=${seed.join(",")}`);
  if (tolerance > 0) query.push(`tolerance=${Number(tolerance.toPrecision(4))}`);
  const start = url.includes("?") ? "&" : "?";
  return url + (query.length > 0 ? start : "") + query.join("&");
}

/** The server's errors are JSON with a kind, a message and a hint. */
export async function readFailure(response: Response, layer: string): Promise<Notice> {
  const text = await response.text();
  try {
    const { error } = JSON.parse(text) as {
      error: { kind: string; message: string; hint?: string };
    };
    return { kind: error.kind, message: error.message, hint: error.hint ?? "", layer };
  } catch {
    const status = String(response.status);
    return { kind: "source", message: `The server answered ${status}.`, layer };
  }
}
