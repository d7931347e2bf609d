import { describe, expect, it } from "vitest";
import { Volume } from "../../src/bricks/volume";
import { exampleData } from "./example-data";

const volume = new Volume(
  "l1",
  "image",
  exampleData({ shape: [70, 65, 33], scale: [2, 1, 1.5], translate: [3, -7, 11], levels: 3 }),
  [],
);

describe("Volume", () => {
  it("numbers every brick of every level once", () => {
    const seen = new Set<number>();
    for (let level = 0; level <= volume.coarsest; level += 1) {
      const [nz, ny, nx] = volume.grid(level).bricks;
      for (let z = 0; z < nz; z += 1) {
        for (let y = 0; y < ny; y += 1) {
          for (let x = 0; x < nx; x += 1) {
            const number = volume.number(level, z, y, x);
            expect(volume.index(number)).toEqual({ level, z, y, x });
            seen.add(number);
          }
        }
      }
    }
    expect(Math.max(...seen)).toBe(seen.size - 1);
  });

  it("puts the centre of voxel i at its world position", () => {
    expect(volume.toTexels(0, [3, -7, 11])).toEqual([0.5, 0.5, 0.5]);
    expect(volume.voxelAt(0, [3 + 2 * 40, -7 + 10, 11 + 1.5 * 20])).toEqual([40, 10, 20]);
  });

  it("lets a voxel reach half its size to either side, the far end excluded", () => {
    expect(volume.voxelAt(0, [2, -7, 11])).toEqual([0, 0, 0]);
    expect(volume.voxelAt(0, [1.99, -7, 11])).toBeNull();
    expect(volume.voxelAt(0, [3 + 2 * 69.5, -7, 11])).toBeNull();
    expect(volume.voxelAt(0, [3 + 2 * 69.49, -7, 11])).toEqual([69, 0, 0]);
  });

  it("finds a voxel's place in the brick that owns it", () => {
    const { number, offset } = volume.locate(0, [40, 31, 32]);
    expect(volume.index(number)).toEqual({ level: 0, z: 1, y: 0, x: 1 });
    expect(offset).toBe((8 * 33 + 31) * 33 + 0);
  });

  it("stays the same when only its place in the world changes", () => {
    const at = (translate: number): string =>
      Volume.keyOf("l1", exampleData({ translate: [translate, 0, 0] }), [2]);
    expect(at(0)).toBe(at(5));
    expect(Volume.keyOf("l1", exampleData(), [3])).not.toBe(at(0));
  });
});
