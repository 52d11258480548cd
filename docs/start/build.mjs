// Builds the page: node build.mjs WORK OUT. tools/page.py has put the Python packages and the template into WORK.
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { loadPyodide } from "pyodide";

const [work, out] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const pyodide = join(here, "node_modules", "pyodide");
const bytes = (...path) => new Uint8Array(readFileSync(join(...path)));
const hash = (name) => `sha256-${createHash("sha256").update(bytes(out, name)).digest("base64")}`;

// Python compiles its files once here, not in each browser, and only those of packages that a rendering imports.
const python = await loadPyodide();
python.FS.writeFile("/standard.zip", bytes(pyodide, "python_stdlib.zip"));
for (const name of ["packages.zip", "files.zip"]) python.FS.writeFile(`/${name}`, bytes(work, name));
python.runPython(readFileSync(join(here, "compile.py"), "utf8"));
mkdirSync(out, { recursive: true });
writeFileSync(join(out, "python.zip"), python.FS.readFile("/python.zip"));
const [first, template] = ["/first.json", "/build.json"].map((name) => JSON.parse(python.FS.readFile(name, { encoding: "utf8" })));
writeFileSync(join(out, "questions.json"), JSON.stringify({ ...first, template }));
cpSync(join(pyodide, "pyodide.asm.wasm"), join(out, "pyodide.asm.wasm"));
const archives = ["files.zip", ...template.versions.map((version) => `${version}.zip`)];
for (const name of archives) cpSync(join(work, name), join(out, name));

const FILES = {};
for (const name of ["pyodide.asm.wasm", "python.zip", "questions.json", ...archives]) FILES[name] = hash(name);
for (const name of ["worker", "page"]) { // in this order, as the page has the hash of the worker
  await build({
    entryPoints: [join(here, "src", `${name}.ts`)],
    outdir: out,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    external: ["node:*", "ws"], // Pyodide imports them in Node.js
    define: { FILES: JSON.stringify(FILES) },
  });
  FILES[`${name}.js`] = hash(`${name}.js`);
}
cpSync(join(here, "style.css"), join(out, "style.css"));
const index = readFileSync(join(here, "index.html"), "utf8");
writeFileSync(join(out, "index.html"), index.replace(/(href|src)="(style\.css|page\.js)"/g, (_, kind, name) => `${kind}="${name}?${hash(name)}" integrity="${hash(name)}"`));
