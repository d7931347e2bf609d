import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, vi } from "vitest";
import { Colormaps } from "../../src/ui/colormaps";

it("shows reversed maps the other way round", async () => {
  const list = [{ name: "fire", category: "more", colors: ["#000000", "#ff0000", "#ffffff"] }];
  const server = createServer((_, response) => response.end(JSON.stringify(list)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  try {
    const colormaps = new Colormaps(`http://127.0.0.1:${port}/colormaps`);
    expect(colormaps.colors("gray_r")).toEqual(["#ffffff", "#000000"]);
    await vi.waitFor(() => expect(colormaps.list.value).toEqual(list), 20_000);
    expect(colormaps.colors("fire_r")).toEqual(["#ffffff", "#ff0000", "#000000"]);
    expect(colormaps.colors("unheard_of_r")).toEqual(["#000000", "#ffffff"]);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
