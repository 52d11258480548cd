// Runs Copier in a Web Worker, so that typing never waits for it.
import { loadPyodide, version } from "pyodide";
import { info } from "pyodide/pyodide-lock.json";
// @ts-expect-error: it has no types
import createPyodideModule from "pyodide/pyodide.asm.mjs";
import type { Reply, Request } from "./contract";

declare const FILES: Record<string, string>; // the files that the worker may load, and their hashes: from the build

const home = new URL(".", import.meta.url).href;
const load = globalThis.fetch;
globalThis.fetch = async (address) => {
  const name = String(address).replace(home, "");
  if (!(name in FILES)) throw new Error(`${name} is not part of this page.`);
  return load(`${home}${name}?${FILES[name]}`, { integrity: FILES[name] }); // a cache may have the file of another build
};

const say = (message: Reply, transfer: Transferable[] = []) => postMessage(message, { transfer });
const progress = (done: number, words: string) => say({ progress: { done, words } });

async function start() {
  progress(0.1, "Loading Python");
  const files = fetch(`${home}files.zip`).then((response) => response.arrayBuffer());
  const python = await loadPyodide({
    indexURL: home,
    stdLibURL: `${home}python.zip`,
    lockFileContents: { info: { ...info, arch: "wasm32", version }, packages: {} },
    createPyodideModule,
  });
  progress(0.5, "Starting Copier");
  python.FS.writeFile("/files.zip", new Uint8Array(await files));
  const engine = python.pyimport("engine");
  progress(1, "Ready");
  return { python, engine };
}

const started = start();
started.catch((error) => say({ progress: { done: 0, words: `Python cannot be loaded (${error.message}): reload the page.` } }));

addEventListener("message", async ({ data }: MessageEvent<Request>) => {
  const { id } = data;
  try {
    const { python, engine } = await started;
    engine.show_form = (text: string) => say({ id, partial: JSON.parse(text) });
    const answers = "answers" in data ? JSON.stringify(data.answers) : "";
    if (data.do === "zip") {
      const bytes = engine.pack(answers);
      const result: Uint8Array = bytes.toJs();
      bytes.destroy();
      return say({ id, result }, [result.buffer]);
    }
    let result: string;
    if (data.do === "parse") result = engine.parse(data.text);
    else if (data.do === "older") {
      const name = `${data.commit}.zip`;
      if (!/^v\d/.test(name) || !(name in FILES)) throw new Error(`this page does not have the files of the version ${data.commit}.`);
      const archive = await fetch(home + name).then((response) => response.arrayBuffer());
      python.FS.writeFile("/older.zip", new Uint8Array(archive));
      result = engine.state(answers, data.commit);
    } else result = engine.state(answers);
    say({ id, result: JSON.parse(result) });
  } catch (error) {
    const lines = String((error as Error).message).trim().split("\n"); // of Python: the last one is the error
    say({ id, error: lines.at(-1)!.replace(/^[\w.]*UserError: /, "") });
  }
});
