// The layer panel: the list of layers and the controls of the active one.
import { hint, perform } from "./actions";
import { IconButton } from "./fields";
import { ImageControls } from "./image-controls";
import { LabelsControls } from "./labels-controls";
import { LayerList } from "./layer-list";
import type { Page } from "./page";
import { SurfaceControls } from "./surface-controls";

interface PageProps {
  readonly page: Page;
}

export function Sidebar({ page }: PageProps) {
  if (!page.sidebar.value || page.empty.value) return null;
  return (
    <aside class="sidebar" aria-label="Layers">
      <div class="section-head">
        <h2>Layers</h2>
        <IconButton
          icon="close"
          label={hint("sidebar")}
          class="only-narrow"
          onClick={() => perform(page, "sidebar")}
        />
      </div>
      <LayerList page={page} />
      <ActiveControls page={page} />
    </aside>
  );
}

function ActiveControls({ page }: PageProps) {
  const layer = page.active.value;
  if (layer === null) {
    return <p class="sidebar-note">Choose a layer to see its controls.</p>;
  }
  return (
    <section class="controls" aria-label={`Controls of ${layer.name}`}>
      {layer.kind === "image" ? (
        <ImageControls key={layer.id} page={page} layer={layer} />
      ) : layer.kind === "surface" ? (
        <SurfaceControls key={layer.id} page={page} layer={layer} />
      ) : (
        <LabelsControls key={layer.id} page={page} layer={layer} />
      )}
    </section>
  );
}
