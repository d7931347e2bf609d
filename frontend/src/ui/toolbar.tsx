// The line at the top: title, layouts, and what concerns the page as a whole.
import type { Document } from "../wire/types";
import { hint, perform } from "./actions";
import { IconButton } from "./fields";
import { Icon } from "./icons";
import type { Page } from "./page";

type Layout = Document["view"]["layout"];

const LAYOUTS: readonly Layout[] = ["4panel", "xy", "xz", "yz", "3d"];

const LAYOUT_TEXT: Readonly<Record<Layout, string>> = {
  "4panel": "All",
  xy: "xy",
  xz: "xz",
  yz: "yz",
  "3d": "3-D",
};

interface PageProps {
  readonly page: Page;
}

export function Toolbar({ page }: PageProps) {
  const does = (id: string) => () => perform(page, id);
  return (
    <header class="toolbar">
      <div class="brand">
        <Icon name="cube" size={18} />
        <h1>{page.title.value}</h1>
      </div>
      <LayoutSwitch page={page} />
      <div class="tools">
        <IconButton icon="fit" label={hint("fit")} onClick={does("fit")} />
        <IconButton
          icon={page.theme.value === "dark" ? "sun" : "moon"}
          label={hint("theme")}
          onClick={does("theme")}
        />
        <NoticesButton page={page} />
        <IconButton icon="help" label={hint("palette")} onClick={does("palette")} />
        <IconButton
          icon="sidebar"
          label={hint("sidebar")}
          pressed={page.sidebar.value}
          onClick={does("sidebar")}
        />
      </div>
    </header>
  );
}

function LayoutSwitch({ page }: PageProps) {
  const present = page.view.value?.layout;
  return (
    <div class="segments" role="radiogroup" aria-label="Layout">
      {LAYOUTS.map((layout) => (
        <button
          key={layout}
          type="button"
          role="radio"
          aria-checked={layout === present}
          title={hint(`layout-${layout}`)}
          onClick={() => perform(page, `layout-${layout}`)}
        >
          {layout === "4panel" && <Icon name="layout-4panel" size={14} />}
          {LAYOUT_TEXT[layout]}
        </button>
      ))}
    </div>
  );
}

function NoticesButton({ page }: PageProps) {
  const count = page.notices.entries.value.length;
  return (
    <span class="with-badge">
      <IconButton
        icon="bell"
        label={count === 0 ? "No messages" : `${hint("notices")}, ${count} so far`}
        pressed={page.noticeList.value}
        onClick={() => perform(page, "notices")}
      />
      {count > 0 && (
        <span class="badge" aria-hidden="true">
          {count > 99 ? "99+" : count}
        </span>
      )}
    </span>
  );
}
