// What the directions of a slice panel are called: x, y and z while they lie along the axes (−x
// backwards); aslant x′, y′ and z′, the slices' own axes.
import {
  alongAxis,
  cross,
  dot,
  panelAxes,
  unit,
  type PanelFrame,
  type Position,
  type SliceKind,
} from "../math/panel";
import { frameOf, worldToView } from "../math/view";
import type { Document } from "../wire/types";

export const AXIS_NAMES = ["z", "y", "x"] as const;

export type AxisName = (typeof AXIS_NAMES)[number];

export interface Direction {
  /** ``"x"``, ``"−x"`` or ``"x′"``. */
  readonly text: string;
  /** The axis whose colour it has. */
  readonly axis: AxisName;
  /** Whether it lies along no axis. */
  readonly isAslant: boolean;
  /** Degrees between it and where it lies while nothing is turned. */
  readonly angle: number;
}

/** What a direction of a panel is called. */
export function directionOf(
  document: Document,
  kind: SliceKind,
  which: keyof PanelFrame,
): Direction {
  const vector = frameOf(document, kind)[which];
  const own = panelAxes(kind)[which];
  const axis = alongAxis(vector);
  const angle = (Math.acos(Math.min(dot(vector, unit(own)), 1)) * 180) / Math.PI;
  if (axis === null) {
    return { text: `${AXIS_NAMES[own]}′`, axis: AXIS_NAMES[own], isAslant: true, angle };
  }
  const sign = vector[axis] < 0 ? "−" : "";
  return { text: sign + AXIS_NAMES[axis], axis: AXIS_NAMES[axis], isAslant: false, angle };
}

/**
 * How a panel's slices are turned: ``"30° off z"`` where they are counted along no axis, ``"turned
 * 15°"`` where they are so in their plane; empty where names tell.
 */
export function turnText(document: Document, kind: SliceKind): string {
  const normal = directionOf(document, kind, "normal");
  if (normal.isAslant) return `${Math.round(normal.angle)}° off ${normal.axis}`;
  const right = directionOf(document, kind, "right");
  return right.isAslant ? `turned ${Math.round(right.angle)}°` : "";
}

/** An axis of the world as a panel shows it. */
export interface ShownAxis {
  readonly name: AxisName;
  /** Parts of a unit vector; away from who looks. */
  readonly right: number;
  readonly down: number;
  readonly away: number;
}

const DIRECTIONS: readonly (readonly [AxisName, Position])[] = [
  ["x", [0, 0, 1]],
  ["y", [0, 1, 0]],
  ["z", [1, 0, 0]],
];

/** The three axes as the 3-D camera sees them, the farthest first. */
export function axesInSpace(document: Document): ShownAxis[] {
  return farthestFirst((direction) => worldToView(document, direction));
}

/** The three axes as they pierce a slice panel, the farthest first; null where its names tell. */
export function axesInPanel(document: Document, kind: SliceKind): ShownAxis[] | null {
  const { right, down } = frameOf(document, kind);
  if (alongAxis(right) !== null && alongAxis(down) !== null) return null;
  const away = cross(right, down);
  return farthestFirst((axis) => [dot(axis, right), dot(axis, down), dot(axis, away)]);
}

function farthestFirst(
  view: (direction: Position) => readonly [right: number, down: number, away: number],
): ShownAxis[] {
  const axes = DIRECTIONS.map(([name, direction]) => {
    const [right, down, away] = view(direction);
    return { name, right, down, away };
  });
  return axes.sort((a, b) => b.away - a.away);
}
