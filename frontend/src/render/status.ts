// What the renderer tells about itself: progress and failures by panel, and whether all is done.
import type { Panel } from "../math/panel";
import { dataBounds } from "../math/space";
import type { Notice } from "../wire/types";
import type { Stage } from "./stage";
import type { LayerLevels, MeshStatus, PanelStatus, Status } from "./types";

/** The state of every panel. */
export function panelStatuses(
  panels: readonly Panel[],
  stage: Stage,
  meshes: readonly MeshStatus[],
  meshesShown: number,
  scattered: ReadonlySet<string>,
): PanelStatus[] {
  const progress = stage.pictures.map((_, index) => stage.progress(index));
  return panels.map(({ kind }) => {
    const mine = stage.pictures
      .map((picture, index) => ({ picture, index }))
      .filter(({ picture }) => (kind === "3d" ? picture.place === null : picture.kind === kind));
    let loading = 0;
    const failures = new Map<string, Notice>();
    const short = new Set<string>(kind === "3d" ? stage.shortOf(null) : []);
    let cells = 0;
    for (const { index } of mine) {
      const part = progress[index];
      loading += part?.loading ?? 0;
      for (const notice of part?.failures ?? []) failures.set(notice.message, notice);
      for (const layer of stage.shortOf(index)) short.add(layer);
      for (const { sight, cells: list, left } of stage.covers) {
        if (sight.picture === index) cells += list.length + left;
      }
    }
    if (kind === "3d") {
      const filling = stage.fillProgress;
      loading += filling.loading;
      for (const notice of filling.failures) failures.set(notice.message, notice);
      for (const { notice } of meshes) if (notice !== null) failures.set(notice.message, notice);
    }
    const empty =
      kind === "3d"
        ? meshesShown === 0 && !stage.actors.some(({ layer }) => dataBounds(layer.data) !== null)
        : cells === 0;
    const isFilling = (id: string): boolean =>
      stage.fills.some(({ volume }) => volume.layer === id);
    return {
      kind,
      loading,
      empty,
      failures: [...failures.values()],
      short: [...short],
      scattered: kind === "3d" ? [...scattered].filter(isFilling) : [],
    };
  });
}

/** The levels in view of each layer, top first. */
export function levelsOf({ actors, covers, fills }: Stage): LayerLevels[] {
  const shown = actors.map(({ layer, volume }) => {
    const mine = [
      ...covers.filter(({ sight }) => sight.volume === volume),
      ...fills.filter((fill) => fill.volume === volume),
    ];
    const levels = new Set(mine.map(({ level }) => level));
    return {
      layer: layer.id,
      shown: [...levels].sort((a, b) => a - b),
      count: volume.coarsest + 1,
    };
  });
  return shown.reverse();
}

/** Whether two states tell the same. */
export function isSameStatus(a: Status | null, b: Status): boolean {
  return a !== null && JSON.stringify(a) === JSON.stringify(b);
}
