// The renderer, as main makes it; what it is told and tells stands in `types.ts`.
import { CanvasRenderer, type RendererOptions } from "./renderer";
import type { Renderer } from "./types";

export { NoWebGL2Error } from "../gl/context";
export { BACKGROUNDS } from "./policy";

/** A renderer on this canvas; throws `NoWebGL2Error` where there is no WebGL2. */
export function createRenderer(options: RendererOptions): Renderer {
  return new CanvasRenderer(options);
}
