// How a segmentation looks, and which of its labels are selected.
import { useState } from "preact/hooks";
import { formatColor, shownColor } from "../math/label-color";
import type { MeshStatus } from "../render/types";
import { change } from "../state/changes";
import type { LabelsLayer } from "../wire/types";
import { hint, perform } from "./actions";
import { IconButton, RangeNumber, Row, SwitchRow } from "./fields";
import { Icon } from "./icons";
import { LabelSection } from "./label-section";
import type { Page } from "./page";
import { MeshLook } from "./surface-controls";

interface LabelsProps {
  readonly page: Page;
  readonly layer: LabelsLayer;
}

type Style = LabelsLayer["style"];

/** Rows of the list of selected labels; more than that nobody reads. */
const LISTED = 200;

export function LabelsControls({ page, layer }: LabelsProps) {
  const { style } = layer;
  const put = (field: keyof Style) => (value: unknown) =>
    page.put(value, "layers", layer.id, "style", field);
  return (
    <>
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
      <Row label="Outline" hint="Width of outlines in pixels; 0 fills the labels">
        <RangeNumber
          label="Outline"
          min={0}
          max={8}
          step={1}
          value={style.contour}
          onInput={(width) => put("contour")(Math.round(width))}
        />
      </Row>
      <Row label="Colours">
        <button
          type="button"
          class="button"
          title={hint("deal-colors")}
          onClick={() => perform(page, "deal-colors")}
        >
          <Icon name="shuffle" size={14} />
          Shuffle
        </button>
      </Row>
      <SwitchRow
        label="Meshes"
        title="Meshes of the selected labels in 3-D"
        hint={hint("meshes")}
        value={style.meshes}
        onChange={put("meshes")}
      />
      {style.meshes && (
        <MeshLook
          label="Mesh opacity"
          opacity={style.mesh_opacity}
          silhouette={style.silhouette}
          onOpacity={put("mesh_opacity")}
          onSilhouette={put("silhouette")}
        />
      )}
      <SwitchRow
        label="Only selected"
        title="Show only the selected labels"
        hint={hint("selected-only")}
        value={style.show_selected_only}
        onChange={put("show_selected_only")}
      />
      <Selection page={page} layer={layer} />
      <LabelSection page={page} layer={layer} />
    </>
  );
}

function Selection({ page, layer }: LabelsProps) {
  const { selected } = layer.style;
  const meshes = new Map<string, MeshStatus>();
  for (const mesh of page.status.value.meshes) {
    if (mesh.layer === layer.id) meshes.set(mesh.label, mesh);
  }
  return (
    <div class="selection">
      <div class="section-head">
        <h3>
          Selected <span class="quiet">{selected.length > 0 && selected.length}</span>
        </h3>
        {selected.length > 0 && (
          <button type="button" class="button small" onClick={() => perform(page, "deselect")}>
            Deselect all
          </button>
        )}
      </div>
      <AddLabel page={page} layer={layer} />
      {selected.length === 0 ? (
        <p class="sidebar-note">Double-click a label in the picture, or type its id.</p>
      ) : (
        <ul class="labels-list">
          {selected.slice(0, LISTED).map((label) => (
            <LabelRow
              key={label}
              page={page}
              layer={layer}
              label={label}
              mesh={meshes.get(label) ?? null}
            />
          ))}
        </ul>
      )}
      {selected.length > LISTED && <p class="sidebar-note">and {selected.length - LISTED} more</p>}
    </div>
  );
}

/** A label as the document spells it; null for what is none. */
export function labelFrom(text: string): string | null {
  const trimmed = text.trim();
  if (!/^-?[0-9]{1,20}$/.test(trimmed)) return null;
  const label = BigInt(trimmed).toString();
  return label === "0" ? null : label;
}

function AddLabel({ page, layer }: LabelsProps) {
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState(false);
  const add = (event: Event): void => {
    event.preventDefault();
    const labels = text.split(/[\s,;]+/).filter((part) => part !== "");
    const known = labels.map(labelFrom);
    if (labels.length === 0 || known.includes(null)) {
      setWrong(labels.length > 0);
      return;
    }
    page.edit((document) => {
      const present = document.layers[layer.id];
      if (present?.kind !== "labels") return [];
      const next = new Set(present.style.selected);
      for (const label of known) if (label !== null) next.add(label);
      return [change([...next], "layers", layer.id, "style", "selected")];
    });
    setText("");
  };
  return (
    <form class="add-label" onSubmit={add}>
      <input
        type="text"
        inputMode="numeric"
        placeholder="Add by id"
        aria-label="Label ids to select"
        aria-invalid={wrong}
        spellcheck={false}
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setWrong(false);
        }}
      />
      <button type="submit" class="icon-button" title="Select" aria-label="Select these labels">
        <Icon name="plus" />
      </button>
      {wrong && (
        <p class="field-error" role="alert">
          Labels are whole numbers other than 0.
        </p>
      )}
    </form>
  );
}

interface LabelRowProps extends LabelsProps {
  readonly label: string;
  readonly mesh: MeshStatus | null;
}

function LabelRow({ page, layer, label, mesh }: LabelRowProps) {
  const { hidden } = layer.style;
  const shown = !hidden.includes(label);
  const color = formatColor(shownColor(label, layer.style));
  const toggle = (): void => {
    const next = shown ? [...hidden, label] : hidden.filter((other) => other !== label);
    page.put(next, "layers", layer.id, "style", "hidden");
  };
  const highlight = (on: boolean): void =>
    page.renderer.peek()?.setHighlight(on ? { layer: layer.id, label } : null);
  return (
    <li
      class={shown ? "label-row" : "label-row unseen"}
      data-label={label}
      onPointerEnter={() => highlight(true)}
      onPointerLeave={() => highlight(false)}
    >
      <label class="swatch" title="Choose its colour" style={{ background: color }}>
        <input
          type="color"
          aria-label={`Colour of label ${label}`}
          value={color}
          onInput={(event) =>
            page.put(event.currentTarget.value, "layers", layer.id, "style", "colors", label)
          }
        />
      </label>
      <span class="label-id">{label}</span>
      {layer.style.meshes && mesh !== null && <MeshMark page={page} mesh={mesh} />}
      <IconButton
        icon={shown ? "eye" : "eye-off"}
        label={shown ? `Hide label ${label}` : `Show label ${label}`}
        onClick={toggle}
      />
      <IconButton
        icon="close"
        label={`Deselect label ${label}`}
        onClick={() => page.toggleLabel(layer.id, label)}
      />
    </li>
  );
}

function MeshMark({ page, mesh }: { readonly page: Page; readonly mesh: MeshStatus }) {
  if (mesh.state === "ready") {
    return mesh.note === "" ? null : (
      <span class="quiet" title={mesh.note} data-note>
        coarse
      </span>
    );
  }
  if (mesh.state === "loading") {
    return (
      <span
        class="spinner"
        role="status"
        aria-label="Mesh is being made"
        title="Mesh is being made"
      />
    );
  }
  const reason = mesh.notice === null ? "" : `: ${mesh.notice.message} ${mesh.notice.hint ?? ""}`;
  return (
    <IconButton
      icon="warning"
      class="failed"
      label={`No mesh${reason} Press to try again.`}
      onClick={() => perform(page, "retry")}
    />
  );
}
