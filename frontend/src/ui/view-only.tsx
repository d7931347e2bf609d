// At an address for looking only: says so, and leads back to what the viewer shows.
import type { Page } from "./page";

export function ViewOnlyMark({ page }: { readonly page: Page }) {
  if (!page.store.readOnly.value) return null;
  return (
    <span class="view-only">
      <span title="What you change here is for your eyes only: the address is for looking.">
        View only
      </span>
      {page.store.apart.value && (
        <button
          type="button"
          class="button small"
          title="Show what the viewer shows again, without your own changes"
          onClick={() => {
            page.store.rejoin();
          }}
        >
          Follow
        </button>
      )}
    </span>
  );
}
