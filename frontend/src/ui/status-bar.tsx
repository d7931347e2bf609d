// The line at the bottom: where the pointer is, what lies there in every layer, what is loading,
// whether the page is connected.
import { formatColor, shownColor } from "../math/label-color";
import { isFlat } from "../math/space";
import type { LayerValue } from "../render/types";
import { AXIS_NAMES } from "./directions";
import type { Page } from "./page";
import { SessionMark } from "./session";
import { readable, trimmed } from "./units";
import { ViewOnlyMark } from "./view-only";

interface PageProps {
  readonly page: Page;
}

export function StatusBar({ page }: PageProps) {
  return (
    <footer class="status-bar">
      <Place page={page} />
      <Values page={page} />
      {page.remark.value !== null && (
        <span class="remark" role="status">
          {page.remark.value}
        </span>
      )}
      <Work page={page} />
      <SessionMark page={page} />
      <ViewOnlyMark page={page} />
      <ConnectionMark page={page} />
    </footer>
  );
}

/** The voxel under the pointer in the active layer, else in the topmost that has one there. */
function voxel(page: Page, values: readonly LayerValue[]): readonly number[] | null {
  const active = page.active.value?.id;
  const there = values.filter((value) => value.index !== null);
  return (there.find((value) => value.layer === active) ?? there[0])?.index ?? null;
}

function Place({ page }: PageProps) {
  const cursor = page.cursor.value;
  const units = page.view.value?.units ?? "";
  const values = page.values.value;
  if (cursor === null) {
    return (
      <span class="place quiet">{!page.empty.value && "Point at the picture to read it"}</span>
    );
  }
  const index = voxel(page, values);
  const flat = Object.values(page.layers.value).every((layer) => isFlat(layer.data));
  return (
    <span class="place">
      <span class="voxel" title="Index of the voxel, as in Python">
        {index === null ? <span class="quiet">outside</span> : `[${index.join(", ")}]`}
      </span>
      <span class="world quiet" title="Position in the world">
        {AXIS_NAMES.map((name, axis) => {
          if (axis === 0 && flat) return null;
          const [number, unit] = readable(cursor.position[axis as 0 | 1 | 2], units);
          return (
            <span key={name}>
              <span class={`axis-${name}`}>{name}</span> {trimmed(number, 5)}
              {unit === "" ? "" : ` ${unit}`}
            </span>
          );
        })}
      </span>
    </span>
  );
}

function Values({ page }: PageProps) {
  return (
    <span class="values">
      {page.values.value.map((value) => (
        <Value key={value.layer} page={page} {...value} />
      ))}
    </span>
  );
}

function Value({ page, layer: id, index, value }: PageProps & LayerValue) {
  const layer = page.layers.value[id];
  const cursor = page.cursor.value;
  // A mesh is smooth: its surface may lie in the voxel of a neighbour, but it is still its label's.
  const onSurface = layer?.kind === "surface";
  const onMesh = onSurface || (cursor?.panel.kind === "3d" && cursor.pick?.layer === id);
  const shown = onMesh && !onSurface ? (cursor?.pick?.label ?? value) : value;
  if (layer === undefined || (index === null && !onMesh)) return null;
  return (
    <span class="value" data-value={id}>
      <span class="quiet">{layer.name}</span>
      {layer.kind === "labels" && shown !== null && shown !== "0" && (
        <span class="dot" style={{ background: formatColor(shownColor(shown, layer.style)) }} />
      )}
      {shown === null ? <span>…</span> : <output>{shown}</output>}
    </span>
  );
}

function Work({ page }: PageProps) {
  const status = page.status.value;
  if (page.connection.value.kind === "closed") return null; // nothing more will come
  const bricks = status.panels.reduce((sum, panel) => sum + panel.loading, 0);
  const meshes = status.meshes.filter((mesh) => mesh.state === "loading").length;
  const tasks = page.tasks.running.value;
  const parts = [
    ...tasks.map((task) => {
      const name = task.layer === null ? undefined : page.layers.value[task.layer]?.name;
      const percent = `${Math.round(task.done * 100)} %`;
      return name === undefined ? `${task.task} ${percent}` : `${name}: ${task.task} ${percent}`;
    }),
    ...(bricks > 0 ? [`${bricks} ${bricks === 1 ? "brick" : "bricks"}`] : []),
    ...(meshes > 0 ? [`${meshes} ${meshes === 1 ? "mesh" : "meshes"}`] : []),
  ];
  if (status.context === "lost") parts.unshift("graphics restarting");
  if (parts.length === 0) return null;
  return (
    <span class="work" role="status">
      <span class="spinner" />
      {parts.join(" · ")}
    </span>
  );
}

const CONNECTION_TEXT = {
  connecting: "Connecting",
  open: "Connected",
  waiting: "Offline",
  closed: "Ended",
} as const;

function ConnectionMark({ page }: PageProps) {
  const { kind } = page.connection.value;
  return (
    <span class={`connection ${kind}`} title={`${CONNECTION_TEXT[kind]} to Python`}>
      <span class="dot" />
      {CONNECTION_TEXT[kind]}
    </span>
  );
}
