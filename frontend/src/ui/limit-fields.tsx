// Contrast limits as two numbers to be typed.
import type { ImageLayer, SurfaceLayer } from "../wire/types";
import { ordered, setLimits } from "./contrast";
import { NumberField } from "./fields";
import type { Page } from "./page";

interface LimitProps {
  readonly page: Page;
  readonly layer: ImageLayer | SurfaceLayer;
}

export function LimitFields({ page, layer }: LimitProps) {
  const [low, high] = layer.style.contrast_limits;
  return (
    <span class="limits">
      <NumberField
        label="Lower contrast limit"
        value={low}
        onCommit={(value) => page.store.edit(setLimits(layer, ordered(value, high)))}
      />
      <NumberField
        label="Upper contrast limit"
        value={high}
        onCommit={(value) => page.store.edit(setLimits(layer, ordered(low, value)))}
      />
    </span>
  );
}
