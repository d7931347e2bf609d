// The line at the top: title, layouts, and what concerns the page as a whole.
import type { ComponentChildren } from "preact";
import type { Document } from "../wire/types";
import { hint, perform } from "./actions";
import { IconButton, Segments } from "./fields";
import { Icon } from "./icons";
import type { Page } from "./page";

type Layout = Document["view"]["layout"];

const LAYOUTS: readonly (readonly [Layout, ComponentChildren])[] = [
  [
    "4panel",
    <>
      <Icon name="layout-4panel" size={14} />
      All
    </>,
  ],
  ["xy", "xy"],
  ["xz", "xz"],
  ["yz", "yz"],
  ["3d", "3-D"],
];

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
        <IconButton icon="link" label={hint("copy-link")} onClick={does("copy-link")} />
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
  return (
    <Segments
      label="Layout"
      value={page.view.value?.layout ?? "4panel"}
      options={LAYOUTS}
      hint={(layout) => hint(`layout-${layout}`)}
      onChange={(layout) => perform(page, `layout-${layout}`)}
    />
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
