// What the bricks that are on the GPU make of a slice picture and of the 3-D panel: strokes and
// volumes, ready to be drawn.
import { isWhole, wholeFill, type Fill } from "../bricks/fill";
import type { Library } from "../bricks/library";
import type { BrickNumber, Volume } from "../bricks/volume";
import type { Atlas } from "./atlas";
import type { Stroke } from "./gpu";
import { extentOf, instancesOf } from "./instances";
import { around, type PixelRectangle } from "./pictures";
import type { Stage } from "./stage";
import type { Residence } from "./stand-ins";
import { constantWords } from "./texels";
import type { SpaceVolume } from "./volume-painter";
import { volumeTable } from "./volume-table";

/** Where bricks are to be read from. */
export interface Sources {
  readonly stage: Stage;
  readonly library: Library;
  readonly atlas: Atlas;
}

/** The layers of a picture, bottom first, and the part of it that they take. */
export function strokesOf(
  picture: number,
  { stage, library, atlas }: Sources,
): { readonly strokes: readonly Stroke[]; readonly extent: PixelRectangle } {
  const lookup = (volume: Volume, number: BrickNumber): Residence | null => {
    const slot = atlas.slot(volume, number);
    if (slot !== null) return slot;
    const brick = library.brick(volume, number);
    const code = stage.code(volume);
    if (brick?.constant !== true || code === null) return null;
    return { words: constantWords(code, brick.voxels) };
  };
  const strokes: Stroke[] = [];
  const extents: PixelRectangle[] = [];
  for (const cover of stage.covers) {
    const actor = stage.actors.find(({ volume }) => volume === cover.sight.volume);
    if (cover.sight.picture !== picture || actor === undefined) continue;
    const finest = stage.finest(actor.volume);
    strokes.push({ actor, cover, batches: instancesOf(cover, actor.former, lookup, finest) });
    extents.push(extentOf(cover));
  }
  return { strokes, extent: around(extents) };
}

/**
 * The images that fill the 3-D panel, bottom first, and those among them that are shown coarsely
 * because the bricks of a finer level lie in more textures than a shader reads.
 */
export function volumesOf({ stage, library, atlas }: Sources): {
  readonly volumes: SpaceVolume[];
  readonly scattered: ReadonlySet<string>;
} {
  const scattered = new Set<string>();
  const volumes = stage.shownFills().flatMap((fill) => {
    const actor = stage.actors.find(
      ({ volume, former }) => volume === fill.volume || former === fill.volume,
    );
    if (actor?.layer.kind !== "image") return [];
    const { layer, code } = actor;
    const show = (shown: Fill): SpaceVolume => {
      const table = volumeTable(shown, code, atlas, library);
      return { layer: layer.id, fill: shown, table, style: layer.style, code };
    };
    const volume = show(fill);
    if (volume.table.complete) return [volume];
    scattered.add(layer.id);
    // Coarse is better than with holes.
    return [isWhole(fill) ? show(wholeFill(fill.volume, fill.volume.coarsest)) : volume];
  });
  return { volumes, scattered };
}
