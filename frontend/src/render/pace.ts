// How often the renderer works while bricks pour in. Showing progress is worth little if it holds
// up the rest: a GPU in software takes longer for one picture than for a hundred bricks. So the
// GPU is asked when it has finished, and progress gets a part of its time only.
import type { Context } from "../gl/context";
import { POLICY } from "./policy";

export class Pace {
  readonly #context: Context;
  #fence: WebGLSync | null = null;
  #issued = -Infinity;
  /** Milliseconds that the GPU took for what was drawn last: slices alone, and the 3-D panel too. */
  #cost = 0;
  #spaceCost = 0;
  #wasSpace = false;
  #space = -Infinity;
  #frame = -Infinity;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Milliseconds that uploads may take in a frame that begins now; `first`: nothing is seen yet. */
  uploadBudget(now: number, first: boolean): number {
    const elapsed = now - this.#frame;
    this.#frame = now;
    // Where frames are few and far between, each may do the work of several.
    const share = elapsed * POLICY.uploadShare;
    const most = POLICY.mostUploadMilliseconds[first ? "first" : "later"];
    return Math.min(Math.max(share, POLICY.uploadMilliseconds), most);
  }

  /** Whether a picture of the progress may be drawn. */
  isDue(now: number): boolean {
    if (!this.isIdle(now)) return false;
    const rest = Math.max(POLICY.progressMilliseconds, this.#cost / POLICY.progressShare);
    return now - this.#issued > rest;
  }

  /** The same for the 3-D panel, which costs most and tells least. */
  isSpaceDue(now: number): boolean {
    const idle = this.isIdle(now);
    const rest = Math.max(POLICY.progressMilliseconds, this.#spaceCost / POLICY.progressShare);
    return idle && now - this.#space > 4 * rest;
  }

  /** Something was drawn. */
  drew(now: number, space: boolean): void {
    const { gl } = this.#context;
    this.#issued = now;
    this.#wasSpace = space;
    if (space) this.#space = now;
    if (this.#fence !== null) gl.deleteSync(this.#fence);
    this.#fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    gl.flush();
  }

  /** Whether the GPU has drawn everything. */
  isIdle(now: number): boolean {
    if (this.#fence === null) return true;
    const { gl } = this.#context;
    if (gl.getSyncParameter(this.#fence, gl.SYNC_STATUS) !== gl.SIGNALED) return false;
    gl.deleteSync(this.#fence);
    this.#fence = null;
    if (this.#wasSpace) this.#spaceCost = now - this.#issued;
    else this.#cost = now - this.#issued;
    return true;
  }
}
