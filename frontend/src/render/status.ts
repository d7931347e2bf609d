// What the renderer tells about itself: progress and failures by panel, whether all is done, and
// what that took.
import type { Library } from "../bricks/library";
import type { Panel } from "../math/panel";
import { dataBounds } from "../math/space";
import type { Notice } from "../wire/types";
import type { Colormaps } from "./colormaps";
import type { Frames } from "./frames";
import type { MeshStore } from "./mesh-store";
import type { Screen } from "./screen";
import type { Stage } from "./stage";
import type { FrameStats, LayerLevels, MeshStatus, PanelStatus, Status } from "./types";

/** What the renderer consists of. */
export interface Parts {
  readonly stage: Stage;
  readonly library: Library;
  readonly colormaps: Colormaps;
  readonly meshes: MeshStore;
  readonly screen: Screen;
  readonly frames: Frames;
}

/** `isStale`: pictures other than those on stage are wanted. */
export function statusOf(
  panels: readonly Panel[],
  { stage, colormaps, meshes, screen }: Parts,
  isStale: boolean,
): Status {
  const { status } = meshes;
  const isDrawn = !isStale && !screen.isStale;
  const hasMaps = stage.actors.every(
    ({ layer }) => layer.kind !== "image" || colormaps.get(layer.style.colormap).ready,
  );
  const isHere = !stage.isLoading && meshes.isSettled && hasMaps;
  return {
    panels: panelStatuses(panels, stage, status, meshes.shown.length, screen.scattered),
    meshes: status,
    context: screen.gpu === null ? "lost" : "ok",
    settled: screen.gpu !== null && isDrawn && isHere,
  };
}

export function frameStats({
  stage,
  library,
  colormaps,
  meshes,
  screen,
  frames,
}: Parts): FrameStats {
  const { gpu } = screen;
  return {
    frames: frames.count,
    frameMilliseconds: frames.milliseconds,
    uploadMilliseconds: screen.uploadMilliseconds,
    draws: gpu?.context.draws ?? 0,
    uploads: gpu?.context.uploads ?? 0,
    uploadedBytes: gpu?.context.uploadedBytes ?? 0,
    residentBricks: gpu?.atlas.bricks ?? 0,
    pendingBricks: stage.pending,
    gpuBytes: gpu?.bytes ?? 0,
    gpuBudget: screen.budget,
    cacheBytes: library.bytes + meshes.bytes,
    cacheBudget: library.budget,
    receivedBytes: library.counts.receivedBytes,
    requests: library.requests + meshes.requests + colormaps.requests,
    levels: levelsOf(stage),
  };
}

/** The state of every panel. */
function panelStatuses(
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
function levelsOf({ actors, covers, fills }: Stage): LayerLevels[] {
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
