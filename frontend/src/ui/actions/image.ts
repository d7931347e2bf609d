// How images look.
import { autoLimits, setLimits } from "../contrast";
import type { Action } from "./action";

export const IMAGE: readonly Action[] = [
  {
    id: "auto-contrast",
    group: "Image",
    title: "Contrast from the data",
    keys: ["c"],
    python: "image.reset_contrast_limits()",
    enabled: (page) => (page.imageInMind()?.data.histogram ?? null) !== null,
    run: (page) => {
      const image = page.imageInMind();
      const histogram = image?.data.histogram ?? null;
      if (image !== null && histogram !== null) {
        page.store.edit(setLimits(image, autoLimits(histogram, image.data.dtype)));
      }
    },
  },
  {
    id: "interpolation",
    group: "Image",
    title: "Interpolation: linear or nearest",
    keys: ["i"],
    python: 'image.interpolation = "nearest"',
    enabled: (page) => page.imageInMind() !== null,
    run: (page) => {
      const image = page.imageInMind();
      if (image === null) return;
      const other = image.style.interpolation === "linear" ? "nearest" : "linear";
      page.put(other, "layers", image.id, "style", "interpolation");
    },
  },
  {
    id: "rendering",
    group: "Image",
    title: "Volume in 3-D: none, MIP or translucent",
    keys: ["g"],
    python: 'image.rendering = "mip"',
    enabled: (page) => page.imageInMind() !== null,
    run: (page) => {
      const image = page.imageInMind();
      if (image === null) return;
      const next = { none: "mip", mip: "translucent", translucent: "none" } as const;
      page.put(next[image.style.rendering], "layers", image.id, "style", "rendering");
    },
  },
];
