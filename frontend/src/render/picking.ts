// What lies under a point of the screen: on a slice the label that is shown there, in the 3-D panel
// the mesh or the slice that is seen first.
import type { Library } from "../bricks/library";
import { showsFlat } from "../bricks/cover";
import { panelAt, type Panel, type Position } from "../math/panel";
import { frameOf, screenToWorld } from "../math/view";
import type { Document } from "../wire/types";
import { valueNear } from "./mesh-geometry";
import type { MeshStore } from "./mesh-store";
import { labelAt } from "./readout";
import type { Screen } from "./screen";
import type { Stage } from "./stage";
import type { Pick } from "./types";

/** Where it is looked up. */
export interface Shown {
  readonly stage: Stage;
  readonly library: Library;
  readonly meshes: MeshStore;
  readonly screen: Screen;
}

/** `x` and `y` in CSS pixels of the canvas; null where there is nothing. */
export function pickAt(
  document: Document,
  panels: readonly Panel[],
  x: number,
  y: number,
  shown: Shown,
): Pick | null {
  const panel = panelAt(panels, x, y);
  if (panel === null) return null;
  if (panel.kind === "3d") return pickSpace(document, panel, x, y, shown);
  const position = screenToWorld(document, panels, panel, x, y);
  const found = labelOn(position, showsFlat(frameOf(document, panel.kind)), shown);
  if (found.layer !== null && found.label !== null) {
    shown.meshes.point(found.layer, found.label, position);
  }
  return { panel: panel.kind, position, ...found };
}

function pickSpace(
  document: Document,
  panel: Panel,
  x: number,
  y: number,
  shown: Shown,
): Pick | null {
  const { screen, stage } = shown;
  const found = screen.objectAt(document, panel, x, y);
  if (found === null) return null;
  const { object, position } = found;
  const mesh = screen.meshes[object - 1];
  if (mesh?.label === "") {
    const [z, y, x] = position;
    const value = valueNear(mesh.geometry, [x, y, z]);
    const text = value === null ? "surface" : String(Number(value.toPrecision(6)));
    const surface = { layer: mesh.layer, index: null, value: text };
    return { panel: "3d", position, layer: null, label: null, surface };
  }
  if (mesh !== undefined) return { panel: "3d", position, layer: mesh.layer, label: mesh.label };
  const slice = stage.pictures[object - 1 - screen.meshes.length];
  const seesFlat = slice !== undefined && showsFlat(slice.plane);
  return { panel: "3d", position, ...labelOn(position, seesFlat, shown) };
}

function labelOn(
  position: Position,
  seesFlat: boolean,
  { library, stage }: Shown,
): { readonly layer: string | null; readonly label: string | null } {
  return labelAt(library, stage.actors, position, seesFlat) ?? { layer: null, label: null };
}
