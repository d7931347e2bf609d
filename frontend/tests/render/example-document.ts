// A document that shows the given data, for tests.
import type { Data, Document, ImageLayer, LabelsLayer } from "../../src/wire/types";

/** Layers l1, l2, …: unsigned 32 and 64 bit are labels, everything else images. */
export function exampleDocument(data: readonly Data[]): Document {
  const layers: Record<string, ImageLayer | LabelsLayer> = {};
  data.forEach((one, place) => {
    const id = `l${place + 1}`;
    const base = { id, name: id, data: one, visible: true, metadata: {} };
    const isLabels = one.dtype === "uint32" || one.dtype === "uint64";
    layers[id] = isLabels
      ? {
          ...base,
          kind: "labels",
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
        }
      : {
          ...base,
          kind: "image",
          style: {
            colormap: "gray",
            contrast_limits: [0, 1],
            gamma: 1,
            opacity: 1,
            blending: "translucent",
            interpolation: "linear",
            rendering: "none",
          },
        };
  });
  return {
    title: "",
    theme: "dark",
    layers,
    order: Object.keys(layers),
    active: null,
    actions: {},
    listening: [],
    view: {
      center: [0, 0, 0],
      orientation: [0, 0, 0, 1],
      upright: [0, 0, 0, 1],
      zoom: null,
      layout: "4panel",
      split: [0.5, 0.5],
      position: {},
      camera: { orientation: [0, 0, 0, 1], zoom: null },
      units: "",
      sliders: [],
      scale_bar: true,
      axis_lines: true,
      title: "",
      colorbar: false,
      slices_in_3d: true,
    },
  };
}
