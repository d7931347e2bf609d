// How a surface looks; and what it shares with the meshes of labels.
import type { SurfaceLayer } from "../wire/types";
import { ColormapPicker } from "./colormap-picker";
import { RangeNumber, Row } from "./fields";
import { LimitFields } from "./limit-fields";
import type { Page } from "./page";

interface LookProps {
  /** What the opacity is called: labels have one in slices, too. */
  readonly label: string;
  readonly opacity: number;
  readonly silhouette: number;
  onOpacity(value: number): void;
  onSilhouette(value: number): void;
}

/** Of triangles: how clear they are, and how much of their outline is left. */
export function MeshLook({ label, opacity, silhouette, onOpacity, onSilhouette }: LookProps) {
  return (
    <>
      <Row label={label} hint="Of the surfaces in 3-D">
        <RangeNumber
          label={label}
          min={0}
          max={1}
          step={0.01}
          value={opacity}
          onInput={onOpacity}
        />
      </Row>
      <Row label="Silhouette" hint="Clears what looks at the camera; at 1 only outlines remain">
        <RangeNumber
          label="Silhouette"
          min={0}
          max={1}
          step={0.01}
          value={silhouette}
          onInput={onSilhouette}
        />
      </Row>
    </>
  );
}

export function SurfaceControls({
  page,
  layer,
}: {
  readonly page: Page;
  readonly layer: SurfaceLayer;
}) {
  const { style } = layer;
  const put = (field: keyof SurfaceLayer["style"]) => (value: unknown) =>
    page.put(value, "layers", layer.id, "style", field);
  return (
    <>
      {layer.valued ? (
        <>
          <ColormapPicker page={page} layer={layer} />
          <Row label="Values" hint="Drawn as the ends of the colour map">
            <LimitFields page={page} layer={layer} />
          </Row>
        </>
      ) : (
        <Row label="Colour">
          <label class="swatch" title="Choose its colour" style={{ background: style.color }}>
            <input
              type="color"
              aria-label="Colour of the surface"
              value={style.color}
              onInput={(event) => put("color")(event.currentTarget.value)}
            />
          </label>
        </Row>
      )}
      <MeshLook
        label="Opacity"
        opacity={style.opacity}
        silhouette={style.silhouette}
        onOpacity={put("opacity")}
        onSilhouette={put("silhouette")}
      />
    </>
  );
}
