// The finest voxels under the resting cursor, whose values are told: they are asked for before all
// else, whether a picture shows that level or not.
import type { Library } from "../bricks/library";
import type { Need } from "../bricks/planner";
import type { BrickNumber, Volume } from "../bricks/volume";
import type { Position } from "../math/panel";

export class Probe {
  #position: Position | null = null;
  #needs: readonly Need[] = [];

  /** World position; null while the cursor is nowhere. */
  get position(): Position | null {
    return this.#position;
  }

  /** Look at this position, in all of these. */
  place(position: Position | null, volumes: readonly Volume[]): void {
    this.#position = position;
    this.#needs = volumes.flatMap((volume) => {
      const voxel = position === null ? null : volume.voxelAt(0, position);
      return voxel === null ? [] : [{ volume, number: volume.locate(0, voxel).number }];
    });
  }

  has(volume: Volume, number: BrickNumber): boolean {
    return this.#needs.some((need) => need.volume === volume && need.number === number);
  }

  /** Bricks that are still to be asked for. */
  missing(library: Library): Need[] {
    return this.#needs.filter(({ volume, number }) => {
      const state = library.state(volume, number);
      return state === "missing" || state === "stale";
    });
  }
}
