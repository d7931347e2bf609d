// `window.voxelview`: what tests, screenshots and a curious user at the console may ask the page.
import { effect } from "@preact/signals";
import type { Position } from "./math/panel";
import type { FrameStats, LayerValue, Pick, Renderer, Status } from "./render/types";
import type { Page } from "./ui/page";
import type { Document } from "./wire/types";

export interface PageGlobals {
  /** Resolves when every edit has arrived and everything in view is loaded and drawn. */
  settled(): Promise<void>;
  stats(): FrameStats | null;
  status(): Status;
  document(): Document | null;
  pick(x: number, y: number): Pick | null;
  values(position: Position): readonly LayerValue[];
  readonly renderer: Renderer | null;
}

declare global {
  interface Window {
    voxelview: PageGlobals;
  }
}

function frame(): Promise<void> {
  return new Promise((resolve) => {
    requestAnimationFrame(() => resolve());
  });
}

/** Resolves when the condition, made of signals, has become true. */
function until(condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    let done = false;
    const stop = effect(() => {
      if (done || !condition()) return;
      done = true;
      // Later: the first run happens before `stop` is there.
      queueMicrotask(() => stop());
      resolve();
    });
  });
}

export function pageGlobals(page: Page): PageGlobals {
  return {
    async settled() {
      await until(() => page.document.value !== null);
      for (;;) {
        // Two frames: one for edits and the renderer's reaction, one for what that makes dirty.
        await frame();
        await frame();
        if (page.empty.peek() || page.stopper.peek() !== null) return;
        await until(() => page.status.value.settled);
        if (page.store.clean || page.connection.peek().kind !== "open") return;
      }
    },
    stats: () => page.renderer.peek()?.stats() ?? null,
    status: () => page.status.peek(),
    document: () => page.document.peek(),
    pick: (x, y) => page.renderer.peek()?.pick(x, y) ?? null,
    values: (position) => page.renderer.peek()?.values(position) ?? [],
    get renderer() {
      return page.renderer.peek();
    },
  };
}
