// Which of many meshes come first: those of the nearest and largest labels.
import { LabelTable } from "../math/label-table";
import type { Document, LabelsLayer } from "../wire/types";

interface Table {
  readonly key: string;
  /** Null until it is here. */
  readonly table: LabelTable | null;
  /** For which labels `rows` was looked up. */
  selected: readonly string[];
  rows: ReadonlyMap<string, number>;
}

export class MeshRanks {
  readonly #baseUrl: string;
  /** Where a layer's labels are, as far as that was asked for. */
  readonly #tables = new Map<string, Table>();
  /** By layer and label, the first to come has the greatest. */
  readonly #ranks = new Map<string, number>();
  requests = 0;

  constructor(baseUrl: string) {
    this.#baseUrl = baseUrl;
  }

  /** Of a label, named by layer and label; 0 as long as nothing is known of it. */
  of(name: string): number {
    return this.#ranks.get(name) ?? 0;
  }

  /** Find out how large and how near the layer's selected labels are; `query` is for the point. */
  update(layer: LabelsLayer, document: Document, query: string): void {
    const address = `layers/${layer.id}/labels${query}`;
    const key = `${address}|${layer.data.generation}`;
    const known = this.#tables.get(layer.id);
    if (known?.key !== key) {
      this.#tables.set(layer.id, { key, table: null, selected: [], rows: new Map() });
      this.requests += 1;
      fetch(this.#baseUrl + address)
        .then(async (response) => {
          if (!response.ok || this.#tables.get(layer.id)?.key !== key) return;
          const table = new LabelTable(await response.arrayBuffer(), layer.data.dtype);
          this.#tables.set(layer.id, { key, table, selected: [], rows: new Map() });
          this.update(layer, document, query);
        })
        // Without the table the order of selection does.
        .catch(() => undefined);
    } else if (known.table !== null) {
      const { center } = document.view;
      const { table } = known;
      const { selected } = layer.style;
      if (known.selected !== selected) {
        known.rows = table.find(new Set(selected));
        known.selected = selected;
      }
      for (const [label, row] of known.rows) {
        const middle = table.middle(row, layer.data);
        const away = Math.hypot(...([0, 1, 2] as const).map((axis) => middle[axis] - center[axis]));
        this.#ranks.set(`${layer.id}|${label}`, Math.cbrt(table.voxels(row)) / (1 + away));
      }
    }
  }
}
