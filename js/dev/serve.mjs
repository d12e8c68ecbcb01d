// Serves the built widget with a scripted kernel: `node dev/serve.mjs [PORT]`, then /?scene=answer&theme=dark&width=480
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { build } from "esbuild";

const STATIC = new URL("../../rustbot_jupyter/notebook/static/", import.meta.url);
const PAGE = new URL("index.html", import.meta.url);
const TYPES = { js: "text/javascript", css: "text/css", html: "text/html", gz: "application/gzip" };

const { outputFiles } = await build({
  entryPoints: [new URL("main.ts", import.meta.url).pathname],
  bundle: true,
  format: "esm",
  target: "es2022",
  write: false,
});

async function answer(path) {
  if (path === "/") return readFile(PAGE);
  if (path === "/main.js") return outputFiles[0].text;
  return readFile(new URL(path.replace(/^\/static\/([\w.-]+)$/, "$1"), STATIC));
}

const server = createServer(async ({ url }, response) => {
  const { pathname } = new URL(url, "http://localhost");
  try {
    const body = await answer(pathname);
    const type = TYPES[pathname.split(".").pop()] ?? TYPES.html;
    response.writeHead(200, { "content-type": `${type}; charset=utf-8` }).end(body);
  } catch {
    response.writeHead(404).end();
  }
});
server.listen(Number(process.argv[2] ?? 8765), "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}/`);
});
