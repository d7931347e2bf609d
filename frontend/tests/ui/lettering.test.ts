import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { INKS } from "../../src/ui/lettering";

const TOKENS = readFileSync(new URL("../../src/ui/style/tokens.css", import.meta.url), "utf-8");

test.each(["dark", "light"] as const)("pictures have the %s page's colours", (theme) => {
  const block = TOKENS.slice(TOKENS.indexOf(`[data-theme="${theme}"]`)).split("}")[0]!;
  for (const [name, color] of Object.entries(INKS[theme])) {
    expect(block).toContain(`--${name}: ${color};`);
  }
});
