// Imports point down: main → ui → render → bricks | gl → wire → math, with `state` beside `render`.
// What a folder may import from is written here, once. `frontend/tests` may import all.
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

const BELOW = {
  math: [],
  wire: ["math"],
  bricks: ["wire", "math"],
  gl: ["wire", "math"],
  render: ["bricks", "gl", "wire", "math"],
  // Snapshots of the document are handed to the renderer by main; the two do not know each other.
  state: ["wire", "math"],
  ui: ["state", "render", "wire", "math"],
};

/** Forbids a folder (or the module of that name) all imports but those from `below`. */
const layer = ([name, below]) => {
  const others = [...Object.keys(BELOW), "main"].filter(
    (other) => other !== name && !below.includes(other),
  );
  return {
    files: [`src/${name}/**`, `src/${name}.ts`],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            {
              // The document's types are generated, hold no code and import nothing: all know them.
              regex: `^\\.{1,2}/(?:\\.\\./)*(?!wire/types$)(?:${others.join("|")})(?:/|$)`,
              message: `${name} may import from ${below.join(", ") || "nothing"} only.`,
            },
          ],
        },
      ],
    },
  };
};

export default defineConfig(
  { ignores: ["node_modules", "dist", "src/wire/types.ts"] },
  {
    files: ["**/*.{ts,tsx}"],
    extends: [tseslint.configs.recommendedTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      eqeqeq: "error",
      "prefer-const": "error",
      "no-console": ["error", { allow: ["error", "warn"] }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", varsIgnorePattern: "^_" },
      ],
      // A handler may be async, and an arrow may return what its expression does.
      "@typescript-eslint/no-misused-promises": [
        "error",
        { checksVoidReturn: { attributes: false, arguments: false } },
      ],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/unbound-method": "off", // preact's callbacks are arrows
      // Keys of the document's dicts are data: they are written as such.
      "@typescript-eslint/dot-notation": "off",
      "@typescript-eslint/prefer-optional-chain": "off",
      // A loop over an index reads best where the index is used for two arrays.
      "@typescript-eslint/prefer-for-of": "off",
      "@typescript-eslint/class-literal-property-style": "off",
    },
  },
  ...Object.entries(BELOW).map(layer),
  {
    files: ["tests/**", "**/*.test.ts"],
    rules: {
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/no-unsafe-assignment": "off",
    },
  },
);
