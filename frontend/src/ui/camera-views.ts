// The 3-D camera's named views. Quaternions turn world (x, y, z) into view (right, down, away).
type Orientation = readonly [x: number, y: number, z: number, w: number];

const HALF = Math.SQRT1_2;

export const CAMERA_VIEWS: Readonly<Record<"xy" | "xz" | "yz", Orientation>> = {
  xy: [0, 0, 0, 1],
  // z comes to lie where y was, downwards; the eye looks along −y.
  xz: [HALF, 0, 0, -HALF],
  // z to the right, as in the yz panel.
  yz: [0, HALF, 0, HALF],
};
