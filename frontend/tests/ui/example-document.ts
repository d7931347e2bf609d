// A document as the server sends it: an anisotropic image in nanometres with a time axis, and its
// labels.
import type { Document, ImageLayer, LabelsLayer } from "../../src/wire/types";

const SPACE = ["z", "y", "x"].map((name) => ({ name, kind: "space" as const, unit: "nm" }));

export function image(id: string, changes: Partial<ImageLayer> = {}): ImageLayer {
  return {
    kind: "image",
    id,
    name: `image ${id}`,
    visible: true,
    metadata: {},
    data: {
      dtype: "uint16",
      axes: [{ name: "t", kind: "time", unit: "s" }, ...SPACE],
      levels: [{ shape: [5, 64, 256, 512], scale: [0.1, 40, 4, 4], translate: [0, 0, 0, 0] }],
      brick: [32, 32, 32],
      apron: [1, 1, 1],
      affine: [
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 1, 0],
      ],
      generation: 0,
      changes: [],
      histogram: { start: 0, stop: 100, counts: Array.from({ length: 100 }, () => 10) },
    },
    style: {
      colormap: "gray",
      contrast_limits: [0, 100],
      gamma: 1,
      opacity: 1,
      blending: "translucent",
      interpolation: "linear",
      rendering: "none",
    },
    ...changes,
  };
}

export function labels(id: string): LabelsLayer {
  return {
    kind: "labels",
    id,
    name: `labels ${id}`,
    visible: true,
    metadata: {},
    data: {
      dtype: "uint64",
      axes: SPACE,
      levels: [{ shape: [64, 256, 512], scale: [40, 4, 4], translate: [0, 0, 0] }],
      brick: [32, 32, 32],
      apron: [0, 0, 0],
      affine: [
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 1, 0],
      ],
      generation: 0,
      changes: [],
      histogram: null,
    },
    style: {
      opacity: 0.5,
      selected: [],
      hidden: [],
      show_selected_only: false,
      colors: {},
      seed: 0,
      contour: 0,
      meshes: true,
      mesh_opacity: 1,
      silhouette: 0,
    },
  };
}

export function exampleDocument(): Document {
  return {
    title: "Voxelview",
    theme: "dark",
    layers: { l1: image("l1"), l2: labels("l2"), l3: image("l3") },
    order: ["l1", "l2", "l3"],
    active: "l1",
    actions: {},
    listening: [],
    view: {
      center: [1280, 512, 1024],
      orientation: [0, 0, 0, 1],
      upright: [0, 0, 0, 1],
      zoom: null,
      layout: "4panel",
      split: [0.5, 0.5],
      position: { t: 0 },
      camera: { orientation: [0, 0, 0, 1], zoom: null },
      units: "nm",
      sliders: [{ name: "t", unit: "s", start: 0, stop: 0.4, step: 0.1 }],
      scale_bar: true,
      axis_lines: true,
      title: "",
      colorbar: false,
      slices_in_3d: true,
    },
  };
}
