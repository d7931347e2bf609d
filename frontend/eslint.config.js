// Imports point down: main → ui → render → bricks | gl → wire → math | errors, with `state` beside
// `render`. What a folder may import from is written here, once. `frontend/tests` may import all.
import importX, { createNodeResolver } from "eslint-plugin-import-x";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

const BELOW = {
  errors: [],
  math: ["errors"],
  wire: ["math", "errors"],
  bricks: ["wire", "math", "errors"],
  gl: ["wire", "math", "errors"],
  render: ["bricks", "gl", "wire", "math", "errors"],
  // Snapshots of the document are handed to the renderer by main; the two do not know each other.
  state: ["wire", "math", "errors"],
  ui: ["state", "render", "wire", "math", "errors"],
};

/** A folder, or the module of the same name while it is one file. */
const layer = (name) => [`./src/${name}`, `./src/${name}.ts`, `./src/${name}.tsx`];

const zones = Object.entries(BELOW).flatMap(([name, below]) =>
  [...Object.keys(BELOW), "main"]
    .filter((other) => other !== name && !below.includes(other))
    .flatMap(layer)
    .map((from) => ({
      target: layer(name).slice(0, 2),
      from,
      // The document's types are generated, hold no code and import nothing: all may know them.
      ...(from === "./src/wire" ? { except: ["./types.ts"] } : {}),
      message: `${name} may import from ${below.join(", ") || "nothing"} only.`,
    })),
);

export default defineConfig(
  { ignores: ["node_modules", "dist", "src/wire/types.ts"] },
  {
    files: ["**/*.{ts,tsx}"],
    extends: [tseslint.configs.recommendedTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    plugins: { "import-x": importX },
    settings: {
      "import-x/resolver-next": [createNodeResolver({ extensions: [".ts", ".tsx", ".js"] })],
      "import-x/parsers": { "@typescript-eslint/parser": [".ts", ".tsx"] },
      "import-x/extensions": [".ts", ".tsx"],
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
      "import-x/no-cycle": "error",
      "import-x/no-restricted-paths": ["error", { basePath: import.meta.dirname, zones }],
    },
  },
  {
    files: ["tests/**", "**/*.test.ts"],
    rules: {
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/no-unsafe-assignment": "off",
    },
  },
);
