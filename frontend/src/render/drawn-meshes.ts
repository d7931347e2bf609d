// Which meshes are drawn: of each label the newest one that is wholly on the GPU. A finer mesh takes
// the place of a coarser one when its last slice has been uploaded, never before.
import type { MeshGeometry } from "./mesh-geometry";
import type { ShownMesh } from "./mesh-store";

/** Where meshes are drawn from: `MeshBuffers`. */
export interface Uploads {
  has(geometry: MeshGeometry): boolean;
  upload(geometry: MeshGeometry, isTimeUp: () => boolean): boolean;
  keep(geometries: ReadonlySet<MeshGeometry>): void;
}

export class DrawnMeshes {
  /** By layer and label, in the order of selection. */
  #drawn = new Map<string, ShownMesh>();
  /** Whether meshes have still to be uploaded. */
  isUploading = false;

  get list(): readonly ShownMesh[] {
    return [...this.#drawn.values()];
  }

  /** The GPU has lost everything. */
  clear(): void {
    this.#drawn.clear();
  }

  /**
   * Upload what of these is not there, in their order, until the time is up. Returns whether others
   * are drawn now.
   */
  update(shown: readonly ShownMesh[], gpu: Uploads, isTimeUp: () => boolean): boolean {
    const before = this.#drawn;
    const former = shown.map((mesh) => before.get(nameOf(mesh)));
    gpu.keep(new Set([...shown, ...former].flatMap((mesh) => mesh?.geometry ?? [])));
    this.#drawn = new Map();
    this.isUploading = false;
    shown.forEach((mesh, index) => {
      const { geometry } = mesh;
      const isThere = gpu.has(geometry) || (!this.isUploading && gpu.upload(geometry, isTimeUp));
      const drawn = isThere ? mesh : former[index];
      if (!isThere) this.isUploading = true;
      if (drawn !== undefined) this.#drawn.set(nameOf(mesh), drawn);
    });
    const now = this.list;
    const then = [...before.values()];
    return (
      now.length !== then.length || now.some((mesh, at) => mesh.geometry !== then[at]?.geometry)
    );
  }
}

function nameOf({ layer, label }: ShownMesh): string {
  return `${layer}|${label}`;
}
