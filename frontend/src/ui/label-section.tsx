// The list of all labels, loaded when somebody opens it: neither its code nor the index of labels
// that it needs is there before.
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { LabelsLayer } from "../wire/types";
import { hint } from "./actions";
import { Icon } from "./icons";
import type { Page } from "./page";

interface SectionProps {
  readonly page: Page;
  readonly layer: LabelsLayer;
}

export function LabelSection({ page, layer }: SectionProps) {
  const isOpen = page.labelList.value;
  return (
    <div class="selection">
      <button
        type="button"
        class="disclosure"
        aria-expanded={isOpen}
        title={hint("label-list")}
        onClick={() => (page.labelList.value = !isOpen)}
      >
        <h3>All labels</h3>
        <Icon name="chevron" size={12} />
      </button>
      {isOpen && <Loaded page={page} layer={layer} />}
    </div>
  );
}

function Loaded(props: SectionProps) {
  const [List, setList] = useState<ComponentType<SectionProps> | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    void import("./label-list").then(
      (module) => setList(() => module.LabelList),
      () => setFailed(true),
    );
  }, []);
  if (failed) return <p class="sidebar-note">The list could not be loaded from the server.</p>;
  return List === null ? null : <List {...props} />;
}
