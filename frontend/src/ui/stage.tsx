// The picture: one canvas with the panels' overlays and dividers above it.
import { useEffect, useRef } from "preact/hooks";
import { Dividers } from "./dividers";
import { Toasts } from "./notice-views";
import { EmptyViewer, NoPicture } from "./states";
import { Gestures } from "./gestures";
import { PanelOverlay } from "./panel-overlay";
import type { Page } from "./page";
import { ColorbarColumn, PictureTitle } from "./picture-frame";
import { Statistics } from "./statistics";

interface StageProps {
  readonly page: Page;
  /** Draws into the canvas; returns what ends it. */
  mount(canvas: HTMLCanvasElement): () => void;
}

/** Calls back when the page comes to a screen of other pixels, which need not change its size. */
function onPixelRatio(changed: () => void): () => void {
  let query: MediaQueryList | null = null;
  const listen = (): void => {
    query?.removeEventListener("change", listen);
    if (query !== null) changed();
    query = window.matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`);
    query.addEventListener("change", listen);
  };
  listen();
  return () => query?.removeEventListener("change", listen);
}

export function Stage({ page, mount }: StageProps) {
  const element = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);

  useEffect(() => {
    const stage = element.current;
    if (stage === null || canvas.current === null) return;
    const measure = (): void => {
      const { width, height } = stage.getBoundingClientRect();
      const [before, above] = page.size.peek();
      // Whole pixels: a canvas of 640.5 would be drawn blurred.
      const next = [Math.floor(width), Math.floor(height)] as const;
      if (next[0] !== before || next[1] !== above) page.size.value = next;
      page.pixelRatio.value = window.devicePixelRatio;
    };
    const observer = new ResizeObserver(measure);
    observer.observe(stage);
    window.addEventListener("resize", measure);
    const stopRatio = onPixelRatio(measure);
    measure();
    const unmount = mount(canvas.current);
    const gestures = new Gestures(page, stage);
    return () => {
      observer.disconnect();
      window.removeEventListener("resize", measure);
      stopRatio();
      gestures.dispose();
      unmount();
    };
  }, []);

  return (
    <main class="stage" ref={element} aria-label="Picture">
      <canvas ref={canvas} />
      <Overlays page={page} />
      <Dividers page={page} />
      <EmptyViewer page={page} />
      <NoPicture page={page} />
      <Statistics page={page} />
      <Toasts page={page} />
    </main>
  );
}

function Overlays({ page }: { readonly page: Page }) {
  if (page.empty.value || page.stopper.value !== null || page.view.value === null) return null;
  return (
    <>
      {page.panels.value.map((panel) => (
        <PanelOverlay key={panel.kind} page={page} panel={panel} />
      ))}
      <PictureTitle page={page} />
      <ColorbarColumn page={page} />
    </>
  );
}
