// <lmkit-loss-curves>: sick loss curves to diagnose, as lmkit.widgets.loss_curves says.
// Text only ever goes through textContent and attributes of ours, never as HTML.
(() => {
  "use strict";
  if (customElements.get("lmkit-loss-curves")) return;

  const CSS = "__CSS__";
  const W = 640, H = 286, LEFT = 48, RIGHT = 8, TOP = 8, BOTTOM = 48; // of the drawing
  const TICKS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50];
  let made = 0;

  // __PAGE__

  class LossCurves extends Figure {
    build(data) {
      Object.assign(this, data, { at: 0, solved: new Set(), name: `diagnosis-${made++}` });
      this.steps = this.each * this.healthy.train.length;
      this.buttons = this.patients.map((_, i) => el("button", { type: "button", onclick: () => this.visit(i) }, String(i + 1)));
      this.svg = svg("svg", { viewBox: `0 0 ${W} ${H}`, role: "img" });
      this.says = el("p", { class: "says" });
      this.options = el("div", { class: "options" });
      this.status = el("div", { class: "status", role: "status", "aria-live": "polite" });
      this.count = el("span", { class: "soft" });
      const key = (cls, text) => el("span", {}, el("i", { class: cls }), text);
      const frame = el("div", { class: "figure", role: "group", "aria-label": this.heading ?? "Loss curves to diagnose" },
        el("div", { class: "title", hidden: !this.heading }, bdi(this.heading ?? "")),
        el("div", { class: "row", role: "group", "aria-label": "Patients" }, el("span", { class: "soft" }, "Patient"), ...this.buttons, this.count),
        this.svg,
        el("div", { class: "key", "aria-hidden": "true" }, key("k-train", "this patient, training"), key("k-held", "held-out"),
          key("k-healthy", "a healthy run, training")),
        this.says, el("fieldset", {}, el("legend", {}, "What is wrong?"), this.options), this.status);
      this.visit(0);
      return frame;
    }

    visit(i) {
      this.at = i;
      const patient = this.patients[i];
      this.mark();
      this.plot(patient);
      this.says.replaceChildren("It says: ", bdi(`“${patient.says} …”`));
      this.options.replaceChildren(...patient.options.map((option) => el("label", {},
        el("input", { type: "radio", name: this.name, value: option, onchange: () => this.answer(option) }), option)));
      this.status.replaceChildren();
    }

    mark() {
      this.buttons.forEach((button, j) => {
        button.setAttribute("aria-pressed", String(j === this.at));
        button.setAttribute("aria-label", `Patient ${j + 1}${this.solved.has(j) ? ", diagnosed" : ""}`);
        button.textContent = `${j + 1}${this.solved.has(j) ? " ✓" : ""}`;
      });
      this.count.textContent = `${this.solved.size} of ${this.patients.length} diagnosed`;
    }

    answer(option) {
      const right = option === this.patients[this.at].is, [looks, repair] = this.notes[option];
      if (right) this.solved.add(this.at);
      this.mark();
      this.status.replaceChildren(
        el("span", { class: right ? "good" : "bad" }, right ? "Yes. " : "No. "),
        right ? `If ${option}: ${looks}. Repair: ` : `If ${option}, one would see this: ${looks}.`,
        ...(right ? [el("code", {}, repair)] : []));
    }

    plot(patient) {
      const lines = Object.entries(this.lines);
      const all = [...patient.train, ...patient.held, ...this.healthy.train, ...lines.map(([, y]) => y)].map((y) => Math.max(y, 0.01));
      const low = Math.log(Math.min(...all) * 0.9), high = Math.log(Math.max(...all) * 1.1);
      const x = (step) => LEFT + (step / this.steps) * (W - LEFT - RIGHT);
      const y = (loss) => TOP + ((high - Math.log(Math.max(loss, 0.01))) / (high - low)) * (H - TOP - BOTTOM);
      const path = (curve, each, shift) => curve.map((v, i) => `${i ? "L" : "M"}${x((i + shift) * each).toFixed(1)} ${y(v).toFixed(1)}`).join("");
      const level = (cls, loss) => svg("line", { class: cls, x1: LEFT, x2: W - RIGHT, y1: y(loss).toFixed(1), y2: y(loss).toFixed(1) });
      const word = (text, at, from, anchor = "end") => svg("text", { x: at, y: from.toFixed(1), "text-anchor": anchor }, text);
      const ticks = TICKS.filter((t) => Math.log(t) > low && Math.log(t) < high);
      const steps = [0, 0.25, 0.5, 0.75, 1].map((part) => Math.round(part * this.steps));
      this.svg.replaceChildren(
        ...ticks.flatMap((t) => [level("grid", t), word(String(t), LEFT - 6, y(t) + 4)]),
        ...steps.map((s) => word(String(s), x(s), H - 27, s === this.steps ? "end" : "middle")),
        word("training step; loss in nats per word, logarithmic", (W + LEFT) / 2, H - 5, "middle"),
        ...lines.flatMap(([name, loss]) => [level("line", loss), word(name, W - RIGHT, y(loss) - 4)]),
        svg("path", { class: "healthy", d: path(this.healthy.train, this.each, 0.5) }),
        svg("path", { class: "train", d: path(patient.train, this.each, 0.5) }),
        svg("path", { class: "held", d: path(patient.held, this.look, 1) }));
      const first = patient.train[0], last = patient.train.at(-1), held = patient.held.at(-1);
      this.svg.setAttribute("aria-label", `Patient ${this.at + 1}: the training loss goes from ${first.toFixed(2)} to ${last.toFixed(2)
        }, lowest ${Math.min(...patient.train).toFixed(2)}; the held-out loss ends at ${held.toFixed(2)
        }. Healthy: from ${this.healthy.train[0].toFixed(2)} to ${this.healthy.train.at(-1).toFixed(2)}.`);
    }
  }

  customElements.define("lmkit-loss-curves", LossCurves);
})();
