// A real `andon run` as a child process, with a folder of its own.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const PROGRAM = process.env.ANDON_TEST_PROGRAM ?? new URL("../../target/debug/andon", import.meta.url).pathname;

// Settings of whoever runs the tests are none of the tests'.
const ENVIRONMENT = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("ANDON_")));

/** A running andon; `stop` ends it and deletes its folder. */
export class Andon {
  static async start(settings = {}) {
    const andon = new Andon();
    andon.folder = await mkdtemp(join(tmpdir(), "andon-board-"));
    andon.settings = settings;
    await andon.run("127.0.0.1:0");
    return andon;
  }

  /** Starts the program on its folder. */
  async run(listen) {
    this.child = spawn(PROGRAM, ["run", "--admin", "127.0.0.1:0", "--listen", listen, "--data-dir", this.folder], {
      env: { ...ENVIRONMENT, ANDON_LOGGING__FILTER: "warn", ...this.settings },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const words = createInterface({ input: this.child.stdout });
    for await (const line of words) {
      const [name, value] = line.trim().split(/\s+/);
      if (name === "api") this.url = value;
      if (name === "data") return;
    }
    throw new Error(`\`${PROGRAM} run\` ended before it said where it listens`);
  }

  /** SIGKILL. */
  async kill() {
    const ended = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await ended;
  }

  /** The same folder, the same address, another process. */
  async restart() {
    await this.run(new URL(this.url).host);
  }

  async stop() {
    if (this.child.exitCode === null && this.child.signalCode === null) await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Makes a token by the command line, as an operator does. */
  async makeToken(name, scopes) {
    const { stdout } = await promisify(execFile)(PROGRAM, ["token", "create", "--data-dir", this.folder, "--name", name, "--scope", scopes], { env: ENVIRONMENT });
    return /andon_\S+/.exec(stdout)[0];
  }

  /** Asks the API; anything but success is an error. */
  async ask(path, method = "GET", body = undefined) {
    const response = await fetch(this.url + path, {
      method, body: body === undefined ? undefined : JSON.stringify(body), headers: body === undefined ? {} : { "content-type": "application/json" },
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : null;
  }

  /** A line's status at a time (default: now), with more fields of the event if wanted. */
  report(line, status, { at = Date.now(), ...more } = {}) {
    return this.ask("/v1/line-status", "POST", { line_id: line, event_time: new Date(at).toISOString(), status, ...more });
  }

  /** Gives a line its place. */
  register(line, above, more = {}) {
    return this.ask(`/v1/lines/${encodeURIComponent(line)}`, "PUT", { path: [...above, line], ...more });
  }

  /** The mails that were written so far, oldest first. */
  async mails() {
    const outbox = join(this.folder, "outbox");
    const found = [];
    for (const subscriber of await readdir(outbox)) {
      for (const name of await readdir(join(outbox, subscriber))) {
        if (name.endsWith(".eml")) found.push({ name, text: await readFile(join(outbox, subscriber, name), "utf8") });
      }
    }
    return found.sort((a, b) => a.name.localeCompare(b.name));
  }
}

/** Waits until `state` gives something that is not false; fails with `what` after a minute. */
export async function until(what, state, patienceMs = 60_000) {
  const end = Date.now() + patienceMs;
  for (;;) {
    const found = await state();
    if (found) return found;
    if (Date.now() > end) throw new Error(`waited ${patienceMs} ms in vain: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}
