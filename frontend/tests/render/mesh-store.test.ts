import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { meshLevel, unitFactor, voxelAt } from "../../src/render/mesh-detail";
import { MeshStore } from "../../src/render/mesh-store";
import type { Document, LabelsLayer } from "../../src/wire/types";
import { exampleData } from "../bricks/example-data";
import { exampleDocument } from "./example-document";

let server: Server;
let store: MeshStore;
/** Requests that wait for an answer, by label. */
let open: Map<string, ServerResponse>;
let asked: string[];

beforeEach(async () => {
  open = new Map();
  asked = [];
  server = createServer((request, response) => {
    asked.push(request.url!);
    if (request.url!.includes("/labels")) {
      response.writeHead(404).end();
      return;
    }
    open.set(request.url!.split("/mesh/")[1]!.replace(".surface", ""), response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  store = new MeshStore(`http://127.0.0.1:${port}/`, () => undefined);
});

afterEach(() => {
  store.dispose();
  server.closeAllConnections();
  server.close();
});

function documentOf(selected: readonly string[], shape = [8, 8, 8]): Document {
  const document = exampleDocument([exampleData({ shape, dtype: "uint32" })]);
  (document.layers["l1"] as LabelsLayer).style.selected = [...selected];
  return document;
}

const EMPTY_MESH = Buffer.alloc(40);

async function answer(
  name: string,
  status = 200,
  body: Buffer | string = EMPTY_MESH,
): Promise<void> {
  await vi.waitFor(() => {
    expect(open.has(name)).toBe(true);
  });
  open.get(name)!.writeHead(status).end(body);
  open.delete(name);
}

const states = (): string[] => store.status.map(({ label, state }) => `${label} ${state}`);

describe("MeshStore", () => {
  it("fetches the selected labels' meshes, four at once", async () => {
    store.update(documentOf(["1", "2", "3", "4", "5", "6"]), 1);
    await vi.waitFor(() => {
      expect(open.size).toBe(4);
    });
    expect(store.isSettled).toBe(false);
    for (const label of ["1", "2", "3", "4", "5", "6"]) await answer(label);
    await vi.waitFor(() => {
      expect(store.isSettled).toBe(true);
    });
    expect(store.shown.map(({ label }) => label).toSorted()).toEqual([
      "1",
      "2",
      "3",
      "4",
      "5",
      "6",
    ]);
  });

  it("asks at the view's point of leading axes", async () => {
    const document = documentOf(["9"], [5, 8, 8, 8]);
    document.view.position = { t: 3 };
    store.update(document, 1);
    await vi.waitFor(() => {
      expect(asked).toEqual(["/layers/l1/mesh/9.surface?point=3"]);
    });
  });

  it("says why a mesh could not be had, and asks again when told to", async () => {
    store.update(documentOf(["7"]), 1);
    const error = { kind: "notfound", message: "There is no label 7.", hint: "Choose another." };
    await answer("7", 404, JSON.stringify({ error }));
    await vi.waitFor(() => {
      expect(states()).toEqual(["7 failed"]);
    });
    expect(store.status[0]!.notice).toMatchObject({ message: "There is no label 7.", layer: "l1" });
    store.retry();
    await answer("7");
    await vi.waitFor(() => {
      expect(states()).toEqual(["7 ready"]);
    });
  });

  it("gives up a mesh that is no longer wanted", async () => {
    store.update(documentOf(["1"]), 1);
    await vi.waitFor(() => {
      expect(open.size).toBe(1);
    });
    const closed = new Promise((resolve) => open.get("1")!.on("close", resolve));
    store.update(documentOf([]), 1);
    await closed;
    expect(store.isSettled).toBe(true);
  });

  it("remembers a mesh that was deselected", async () => {
    store.update(documentOf(["1"]), 1);
    await answer("1");
    await vi.waitFor(() => {
      expect(states()).toEqual(["1 ready"]);
    });
    store.update(documentOf([]), 1);
    store.update(documentOf(["1"]), 1);
    expect(states()).toEqual(["1 ready"]);
    expect(asked).toHaveLength(1);
  });

  it("keeps the former mesh until that of the changed data is there", async () => {
    const document = documentOf(["1"]);
    store.update(document, 1);
    await answer("1");
    await vi.waitFor(() => {
      expect(store.shown).toHaveLength(1);
    });
    const former = store.shown[0]!.geometry;
    document.layers["l1"]!.data.generation = 1;
    store.update(document, 1);
    expect(store.shown[0]!.geometry).toBe(former);
    await answer("1");
    await vi.waitFor(() => {
      expect(store.shown[0]!.geometry).not.toBe(former);
    });
  });

  it("fetches nothing while no 3-D panel is there, nor what is hidden", () => {
    store.update(documentOf(["1"]), null);
    const document = documentOf(["1"]);
    (document.layers["l1"] as LabelsLayer).style.hidden = ["1"];
    store.update(document, 1);
    expect(store.requests).toBe(0);
  });
});

describe("levels of detail", () => {
  function deepDocument(): Document {
    const document = documentOf(["1", "2"]);
    const { data } = document.layers["l1"]!;
    const [first] = data.levels;
    data.levels = [1, 2, 4, 8].map((scale) => ({ ...first!, scale: [scale, scale, scale] }));
    return document;
  }

  async function answerLevel(name: string, level: number): Promise<void> {
    await vi.waitFor(() => {
      expect(open.has(name)).toBe(true);
    });
    open.get(name)!.writeHead(200, { "Voxelview-Level": level }).end(EMPTY_MESH);
    open.delete(name);
  }

  it("are the coarsest whose voxels are no larger than a pixel", () => {
    const { data } = deepDocument().layers["l1"]!;
    expect([0.1, 1, 1.9, 4, 100].map((pixel) => meshLevel(data, pixel))).toEqual([0, 0, 0, 2, 3]);
  });

  it("come coarse first, then as fine as the screen shows", async () => {
    store.update(deepDocument(), 2);
    await answerLevel("1?level=3", 3);
    await answerLevel("2?level=3", 1); // too small for the coarse level: what came is fine enough
    await answerLevel("1?level=1", 1);
    await vi.waitFor(() => {
      expect(store.isSettled).toBe(true);
    });
    expect(asked).toHaveLength(3);
  });

  it("become finer when the camera comes nearer, and never coarser again", async () => {
    const document = deepDocument();
    store.update(document, 8);
    await answerLevel("1?level=3", 3);
    await answerLevel("2?level=3", 3);
    await vi.waitFor(() => {
      expect(store.isSettled).toBe(true);
    });
    store.update(document, 1);
    expect(states()).toEqual(["1 ready", "2 ready"]);
    await answerLevel("1", 0);
    await answerLevel("2", 0);
    await vi.waitFor(() => {
      expect(store.isSettled).toBe(true);
    });
    store.update(document, 8);
    expect(store.isSettled).toBe(true);
    expect(asked).toHaveLength(4);
  });
});

describe("many labels", () => {
  const labels = Array.from({ length: 9 }, (_, index) => String(index + 1));

  it("come without the faces that a pixel does not need, and with all of them when few are left", async () => {
    store.update(documentOf(labels), 1);
    for (const label of labels) await answer(`${label}?tolerance=0.5`);
    await vi.waitFor(() => {
      expect(store.isSettled).toBe(true);
    });
    store.update(documentOf(["1"]), 1);
    await answer("1");
    await vi.waitFor(() => {
      expect(store.isSettled).toBe(true);
    });
  });

  it("become finer when the camera comes much nearer", async () => {
    const document = documentOf(labels);
    store.update(document, 8);
    for (const label of labels) await answer(`${label}?tolerance=4`);
    await vi.waitFor(() => {
      expect(store.isSettled).toBe(true);
    });
    store.update(document, 4);
    expect(store.isSettled).toBe(true);
    store.update(document, 2);
    for (const label of labels) await answer(`${label}?tolerance=1`);
  });
});

describe("a label that was pointed at", () => {
  async function send(name: string, headers: Record<string, string>): Promise<void> {
    await vi.waitFor(() => {
      expect(open.has(name)).toBe(true);
    });
    open.get(name)!.writeHead(200, headers).end(EMPTY_MESH);
    open.delete(name);
  }

  it("is asked for around that voxel first, then as a whole", async () => {
    store.point("l1", "7", [3.2, 4, 5]);
    store.update(documentOf(["7"]), 1);
    await send("7?seed=3,4,5", { "Voxelview-Whole": "0" });
    await vi.waitFor(() => {
      expect(open.has("7")).toBe(true);
    });
    expect(states()).toEqual(["7 ready"]);
    expect(store.isSettled).toBe(false);
    await send("7", {});
    await vi.waitFor(() => {
      expect(store.isSettled).toBe(true);
    });
  });

  it("is asked for once where all of it came", async () => {
    store.point("l1", "7", [3, 4, 5]);
    store.update(documentOf(["7"]), 1);
    await send("7?seed=3,4,5", {});
    await vi.waitFor(() => {
      expect(store.isSettled).toBe(true);
    });
    expect(asked).toHaveLength(1);
  });

  it("keeps no others from coming while its rest is waited for", async () => {
    const labels = ["1", "2", "3", "4", "5"];
    for (let count = 1; count <= labels.length; count += 1) {
      store.point("l1", labels[count - 1]!, [0, 0, 0]);
      store.update(documentOf(labels.slice(0, count)), 1);
      await send(`${labels[count - 1]!}?seed=0,0,0`, { "Voxelview-Whole": "0" });
    }
    await vi.waitFor(() => {
      expect(states()).toEqual(labels.map((label) => `${label} ready`));
    });
    expect([...open.keys()]).toEqual(["1"]);
    await send("1", {});
    for (const label of labels.slice(1)) await send(label, {});
    await vi.waitFor(() => {
      expect(store.isSettled).toBe(true);
    });
  });

  it("has a voxel where there is data", () => {
    const { data } = documentOf([]).layers["l1"]!;
    expect(voxelAt(data, [7.4, 0, -0.4])).toEqual([7, 0, -0]);
    expect(voxelAt(data, [7.6, 0, 0])).toBeNull();
  });
});

it("tells why a mesh is coarse", async () => {
  store.update(documentOf(["7"]), 1);
  await vi.waitFor(() => {
    expect(open.has("7")).toBe(true);
  });
  open.get("7")!.writeHead(200, { "Voxelview-Note": "Too large." }).end(EMPTY_MESH);
  await vi.waitFor(() => {
    expect(store.status[0]!.note).toBe("Too large.");
  });
});

describe("unitFactor", () => {
  it("leads from the layer's unit to the view's, if there is one", () => {
    const layer = documentOf([]).layers["l1"] as LabelsLayer;
    expect(unitFactor(layer, "nm")).toBe(1);
    layer.data.axes.at(-1)!.unit = "µm";
    expect(unitFactor(layer, "nm")).toBeCloseTo(1000, 9);
    expect(unitFactor(layer, "")).toBe(1);
  });
});
