// The page's plan: tool bar, picture with the axis sliders below it, layer panel, status bar.
import { useEffect } from "preact/hooks";
import { AxisSliders } from "./axis-sliders";
import { listenToKeys } from "./keys";
import { NoticeList } from "./notice-views";
import { Palette } from "./palette";
import type { Page } from "./page";
import { tellHover } from "./python";
import { Sidebar } from "./sidebar";
import { Stage } from "./stage";
import { ConnectionBanner, Loading } from "./states";
import { StatusBar } from "./status-bar";
import { Toolbar } from "./toolbar";

interface AppProps {
  readonly page: Page;
  mount(canvas: HTMLCanvasElement): () => void;
}

export function App({ page, mount }: AppProps) {
  useEffect(() => listenToKeys(page), []);
  useEffect(() => tellHover(page), []);
  return (
    <div class="app">
      <Toolbar page={page} />
      <ConnectionBanner page={page} />
      <div class="middle">
        <div class="centre">
          <Stage page={page} mount={mount} />
          <AxisSliders page={page} />
        </div>
        <Sidebar page={page} />
      </div>
      <StatusBar page={page} />
      <NoticeList page={page} />
      <Palette page={page} />
      <Loading page={page} />
    </div>
  );
}
