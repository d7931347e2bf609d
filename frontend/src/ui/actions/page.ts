// The page itself: undo, saved views, what is open on it.
import { copySession } from "../clipboard";
import type { Action } from "./action";

export const PAGE: readonly Action[] = [
  {
    id: "undo",
    group: "Page",
    title: "Undo what was done last, here or in Python",
    keys: ["Ctrl+z"],
    python: "v.undo()",
    run: (page) => page.undo(false),
  },
  {
    id: "redo",
    group: "Page",
    title: "Redo",
    keys: ["Ctrl+Shift+z"],
    python: "v.redo()",
    run: (page) => page.undo(true),
  },
  {
    id: "copy-link",
    group: "Page",
    title: "Copy a link to this view",
    keys: [],
    python: "v.to_dict()",
    run: (page) => page.keeping.keep("link"),
  },
  {
    id: "save-view",
    group: "Page",
    title: "Save this view to a file",
    keys: [],
    python: 'v.save("view.json")',
    run: (page) => page.keeping.keep("file"),
  },
  {
    id: "load-view",
    group: "Page",
    title: "Load a view from a file",
    keys: [],
    python: 'v.load("view.json")',
    run: (page) => page.keeping.choose(),
  },
  {
    id: "save-picture",
    group: "Page",
    title: "Save a picture to a file",
    keys: [],
    python: 'v.screenshot("picture.png")',
    enabled: (page) => !page.empty.peek(),
    run: (page) => void page.keeping.savePicture(),
  },
  {
    id: "palette",
    group: "Page",
    title: "All actions and keys",
    keys: ["h", "?"],
    python: "",
    run: (page) => {
      page.palette.value = !page.palette.peek();
    },
  },
  {
    id: "sidebar",
    group: "Page",
    title: "Layer panel: show or hide",
    keys: ["l"],
    python: "",
    run: (page) => {
      page.sidebar.value = !page.sidebar.peek();
    },
  },
  {
    id: "notices",
    group: "Page",
    title: "Messages: show or hide",
    keys: ["n"],
    python: "v.errors",
    run: (page) => {
      page.noticeList.value = !page.noticeList.peek();
    },
  },
  {
    id: "copy-session",
    group: "Page",
    title: "Copy this page's session id",
    keys: [],
    python: "v.sessions",
    enabled: (page) => page.session.peek() !== null,
    run: (page) => void copySession(page),
  },
  {
    id: "statistics",
    group: "Page",
    title: "Statistics and memory: show or hide",
    keys: ["\\"],
    python: "",
    run: (page) => {
      page.statistics.value = !page.statistics.peek();
    },
  },
  {
    id: "retry",
    group: "Page",
    title: "Load again what failed",
    keys: ["r"],
    python: "image.refresh()",
    run: (page) => page.renderer.peek()?.retry(),
  },
];
