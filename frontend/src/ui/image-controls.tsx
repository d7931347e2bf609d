// How an image looks.
import type { ImageLayer } from "../wire/types";
import { hint, perform } from "./actions";
import { ColormapPicker } from "./colormap-picker";
import { missed } from "./contrast";
import { Choice, RangeNumber, Row, Segments } from "./fields";
import { HistogramView } from "./histogram-view";
import { Icon } from "./icons";
import { LimitFields } from "./limit-fields";
import type { Page } from "./page";

interface ImageProps {
  readonly page: Page;
  readonly layer: ImageLayer;
}

type Style = ImageLayer["style"];

const BLENDINGS: readonly (readonly [Style["blending"], string])[] = [
  ["translucent", "Translucent"],
  ["additive", "Additive"],
  ["opaque", "Opaque"],
  ["minimum", "Minimum"],
];

const INTERPOLATIONS: readonly (readonly [Style["interpolation"], string])[] = [
  ["nearest", "Nearest"],
  ["linear", "Linear"],
];

const RENDERINGS: readonly (readonly [Style["rendering"], string])[] = [
  ["none", "None"],
  ["mip", "MIP"],
  ["translucent", "Translucent"],
];

export function ImageControls({ page, layer }: ImageProps) {
  const { style } = layer;
  const put = (field: keyof Style) => (value: unknown) =>
    page.put(value, "layers", layer.id, "style", field);
  return (
    <>
      <ColormapPicker page={page} layer={layer} />
      <Contrast page={page} layer={layer} />
      <Row label="Gamma">
        {/* Logarithmic, so that 1/2 and 2 lie equally far from 1. */}
        <RangeNumber
          label="Gamma"
          min={-3}
          max={3}
          step={0.01}
          value={Math.log2(style.gamma)}
          shown={style.gamma}
          onInput={(power) => put("gamma")(Number((2 ** power).toPrecision(3)))}
          onCommit={(gamma) => put("gamma")(Math.min(Math.max(gamma, 0.05), 20))}
        />
      </Row>
      <Row label="Opacity">
        <RangeNumber
          label="Opacity"
          min={0}
          max={1}
          step={0.01}
          value={style.opacity}
          onInput={put("opacity")}
        />
      </Row>
      <Row label="Blending">
        <Choice
          label="Blending"
          value={style.blending}
          options={BLENDINGS}
          onChange={put("blending")}
        />
      </Row>
      <Row label="Interpolation">
        <Segments
          label="Interpolation"
          value={style.interpolation}
          options={INTERPOLATIONS}
          onChange={put("interpolation")}
        />
      </Row>
      <Row label="Volume">
        <Segments
          label="Volume"
          value={style.rendering}
          options={RENDERINGS}
          onChange={put("rendering")}
        />
      </Row>
    </>
  );
}

function Contrast({ page, layer }: ImageProps) {
  const side = missed(layer.data.histogram, layer.style.contrast_limits);
  return (
    <div class="contrast">
      <div class="section-head">
        <h3>Contrast</h3>
        <button
          type="button"
          class="button small"
          title={hint("auto-contrast")}
          disabled={layer.data.histogram === null}
          onClick={() => perform(page, "auto-contrast")}
        >
          <Icon name="auto" size={14} />
          Auto
        </button>
      </div>
      <HistogramView page={page} layer={layer} />
      <LimitFields page={page} layer={layer} />
      {side !== null && (
        <p class="quiet limits-note" role="status">
          Nearly all values lie {side} these limits.
        </p>
      )}
    </div>
  );
}
