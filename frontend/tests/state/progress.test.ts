import { expect, test } from "vitest";
import { Tasks } from "../../src/state/progress";

test("what ran for a layer ends with it", () => {
  const tasks = new Tasks();
  tasks.receive({ type: "progress", layer: "l1", task: "pyramid", done: 0.3 });
  tasks.receive({ type: "progress", layer: "l2", task: "pyramid", done: 0.4 });
  tasks.receive({ type: "progress", layer: null, task: "animation", done: 0.5 });
  tasks.keep({ l2: {} });
  expect(tasks.running.value.map(({ layer }) => layer)).toEqual(["l2", null]);
});
