// Builds the files that the Python package ships; `--check` says whether the committed ones are up to date,
// `--watch` rebuilds while you edit.
import { readFile, writeFile } from "node:fs/promises";
import { constants, gunzipSync, gzipSync } from "node:zlib";
import { build, context } from "esbuild";

const STATIC = new URL("../rustbot_jupyter/notebook/static/", import.meta.url);
const WIDGET_LIMIT_BYTES = 200_000;

const common = {
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  charset: "utf8",
  legalComments: "none",
  write: false,
  absWorkingDir: new URL(".", import.meta.url).pathname,
};

const widget = {
  ...common,
  entryPoints: ["src/widget.tsx"],
  outdir: "out",
  jsx: "automatic",
  jsxImportSource: "preact",
};

/** What a page loads only when a message needs it; sent compressed. */
const libraries = {
  ...common,
  entryPoints: ["src/libraries/katex.ts", "src/libraries/markdown.ts"],
  outdir: "out",
  loader: { ".woff2": "dataurl", ".woff": "empty", ".ttf": "empty" },
  plugins: [cssAsText()],
};

/** `import css from "x.css?text"` gives the bundled stylesheet as a string, fonts inlined. */
function cssAsText() {
  return {
    name: "css-as-text",
    setup(builder) {
      builder.onResolve({ filter: /\.css\?text$/ }, async (args) => {
        const resolved = await builder.resolve(args.path.slice(0, -"?text".length), {
          kind: "import-statement",
          resolveDir: args.resolveDir,
        });
        return { path: resolved.path, namespace: "css-text", errors: resolved.errors };
      });
      builder.onLoad({ filter: /.*/, namespace: "css-text" }, async (args) => {
        const { outputFiles } = await build({
          ...common,
          entryPoints: [args.path],
          outdir: "out",
          loader: libraries.loader,
        });
        // Only woff2 is shipped; the other formats are sources without a file.
        const text = outputFiles[0].text.replace(/,url\([^)]*\)\s*format\("(?:woff|truetype)"\)/g, "");
        return { contents: text, loader: "text" };
      });
    },
  };
}

async function licences() {
  const parts = [];
  for (const name of ["preact", "@preact/signals", "marked", "dompurify", "highlight.js", "katex"]) {
    const folder = new URL(`node_modules/${name}/`, import.meta.url);
    const { version, license } = JSON.parse(await readFile(new URL("package.json", folder), "utf8"));
    const text = await Promise.any(
      ["LICENSE", "LICENSE.md"].map((file) => readFile(new URL(file, folder), "utf8")),
    ).catch(() => "");
    parts.push(`${name} ${version} (${license})\n\n${text.trim()}\n`);
  }
  return `The files beside this one contain these libraries.\n\n${parts.join(`\n${"-".repeat(80)}\n\n`)}`;
}

async function bundle() {
  const files = new Map();
  const text = (result, suffix) => result.outputFiles.find((file) => file.path.endsWith(suffix)).text;
  const [widgetResult, librariesResult] = await Promise.all([build(widget), build(libraries)]);
  files.set("widget.js", Buffer.from(text(widgetResult, ".js")));
  files.set("widget.css", Buffer.from(text(widgetResult, ".css")));
  for (const name of ["katex.js", "markdown.js"]) {
    const packed = gzipSync(text(librariesResult, `/${name}`), { level: constants.Z_BEST_COMPRESSION });
    files.set(`${name}.gz`, packed);
  }
  files.set("THIRD-PARTY-LICENSES.txt", Buffer.from(await licences()));
  const size = files.get("widget.js").length;
  if (size > WIDGET_LIMIT_BYTES)
    throw new Error(`widget.js has ${size} bytes, more than ${WIDGET_LIMIT_BYTES}`);
  return files;
}

// The compressed bytes depend on the zlib that made them, so what counts is what comes out.
const content = (name, data) => (name.endsWith(".gz") ? gunzipSync(data) : data);

async function committed(name) {
  return readFile(new URL(name, STATIC)).then(
    (data) => content(name, data),
    () => Buffer.alloc(0),
  );
}

async function run() {
  const check = process.argv.includes("--check");
  for (const [name, data] of await bundle()) {
    const isCurrent = content(name, data).equals(await committed(name));
    if (check && !isCurrent) {
      process.exitCode = 1;
      console.error(`static/${name} is not what js/ builds: run "npm run build" and commit it`);
    }
    if (!check && !isCurrent) await writeFile(new URL(name, STATIC), data);
    console.log(`${name.padEnd(26)} ${String(data.length).padStart(8)} bytes`);
  }
}

if (process.argv.includes("--watch")) {
  const rerun = { name: "rerun", setup: (builder) => builder.onEnd(() => run().catch(console.error)) };
  await (await context({ ...widget, plugins: [rerun] })).watch();
} else {
  await run();
}
