// The renderer's public surface.
import { CanvasRenderer, type RendererOptions } from "./renderer";
import type { Renderer } from "./types";

export { NoWebGL2Error } from "../gl/context";
export { BACKGROUNDS } from "./policy";
export type { RendererOptions } from "./renderer";
export type {
  Budgets,
  FrameStats,
  Highlight,
  LayerValue,
  MeshStatus,
  Panel,
  PanelKind,
  PanelStatus,
  Pick,
  Position,
  Renderer,
  RendererEvents,
  Status,
} from "./types";

/** A renderer on this canvas; throws `NoWebGL2Error` where there is no WebGL2. */
export function createRenderer(options: RendererOptions): Renderer {
  return new CanvasRenderer(options);
}
