// <lmkit-model-map>: the models that lmkit.widgets.model_map counted, as boxes that can be opened.
// Text only ever goes through textContent and attributes of ours, never as HTML.
(() => {
  "use strict";
  if (customElements.get("lmkit-model-map")) return;

  const CSS = "__CSS__";

  // ---- small pure functions ----

  const UNITS = [[1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];
  const short = (n) => {
    const [by, unit] = UNITS.find(([size]) => n >= size) ?? [1, ""];
    return `${by === 1 ? n : (n / by).toPrecision(3)}${unit && ` ${unit}`}`;
  };
  const bytes = (n) => {
    const [by, unit] = [[2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"]].find(([size]) => n >= size) ?? [1, "bytes"];
    return `${by === 1 ? n : (n / by).toPrecision(3)} ${unit}`;
  };
  const percent = (part, all) => (all ? (part ? (part / all < 0.001 ? "< 0.1\u00a0%" : `${((100 * part) / all).toFixed(1)}\u00a0%`) : "0\u00a0%") : "0\u00a0%");
  // What a layer sees of a text of T tokens, as a share of T: less than 1 where a window bounds the view.
  const seen = ({ windows }, T) => windows.reduce((sum, w) => sum + (w && w < T ? w : T), 0) / windows.length;
  const flops = (model, part, T) => model.parts[part][2] + model.parts[part][3] * seen(model, T);
  const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

  // __PAGE__

  class ModelMap extends Figure {
    build({ title, colors, links, models }) {
      Object.assign(this, { colors, links, models, parts: Object.keys(colors), chosen: "attention" });
      const frame = this.dom(title);
      this.setModel(Object.keys(models)[0]);
      return frame;
    }

    // -- what is on the page --

    dom(title) {
      const names = Object.keys(this.models);
      this.select = el("select", { "aria-label": "Model", onchange: (e) => this.setModel(e.target.value) }, ...names.map((n) => el("option", { value: n }, n)));
      this.slider = el("input", { type: "range", min: 0, step: 1, "aria-label": "Length of the text",
        oninput: () => this.count() });
      this.length = el("span", { class: "number" });
      this.diagram = el("div", { class: "diagram", role: "group", "aria-label": "The parts, in the order of a forward pass" });
      this.about = el("div", { class: "about", "aria-live": "polite" });
      this.bars = el("div", { class: "bars" });
      this.totals = el("dl", { class: "totals" });
      return el("div", { class: "figure" },
        ...(title ? [el("div", { class: "title" }, title)] : []),
        el("div", { class: "top" }, el("label", {}, "Model", this.select), el("label", { class: "wide" }, "Length", this.slider, this.length)),
        el("div", { class: "both" }, this.diagram, el("div", { class: "side" }, this.about, this.bars, this.totals)));
    }

    setModel(name) {
      this.select.value = name;
      this.model = this.models[name];
      const lengths = [];
      for (let T = 16; T < this.model.max; T *= 2) lengths.push(T);
      this.lengths = [...lengths, this.model.max];
      const before = this.T ?? 1024, at = this.lengths.findLastIndex((T) => T <= before);
      this.slider.max = this.lengths.length - 1;
      this.slider.value = Math.max(at, 0);
      this.diagram.replaceChildren(...this.model.groups.map(([heading, boxes]) => el("div", { class: heading ? "block" : "plain" },
        ...(heading ? [el("div", { class: "heading" }, heading)] : []),
        ...boxes.map(([part, words]) => {
          const box = el("button", { type: "button", class: "box", "data-part": part, onclick: () => this.setPart(part) }, words);
          box.style.setProperty("--part", this.colors[part]);
          return box;
        }))));
      this.count();
    }

    setPart(part) {
      this.chosen = part;
      this.count();
    }

    // -- the numbers --

    count() {
      const { model, parts } = this, T = (this.T = this.lengths[+this.slider.value]);
      const work = Object.fromEntries(parts.map((part) => [part, flops(model, part, T)])), all = sum(Object.values(work));
      this.length.textContent = `${T.toLocaleString("en")} tokens`;
      this.slider.setAttribute("aria-valuetext", this.length.textContent);
      for (const box of this.diagram.querySelectorAll(".box")) box.setAttribute("aria-pressed", box.dataset.part === this.chosen);
      const [said, n] = model.parts[this.chosen], link = this.links[this.chosen];
      this.about.replaceChildren(
        el("div", { class: "name" }, this.chosen), el("div", {}, said),
        el("div", { class: "soft" }, `${n.toLocaleString("en")} parameters (${percent(n, model.parameters)}), ` +
          `${short(work[this.chosen])}FLOPs per token (${percent(work[this.chosen], all)})`),
        ...(link ? [el("a", { href: link[1] + (/\.html?$/.test(location.pathname) ? ".html" : ".ipynb") }, link[0])] : []));
      this.bars.replaceChildren(
        this.bar("parameters", (part) => model.parts[part][1], model.parameters),
        this.bar("FLOPs per token", (part) => work[part], all));
      const held = model.cache === null ? null : model.cache * seen(model, T);
      const rows = [["parameters", model.parameters.toLocaleString("en")]];
      if (model.active !== model.parameters) rows.push(["met by one token", model.active.toLocaleString("en")]);
      rows.push(["FLOPs per token", `${short(all)}FLOPs`],
        ["KV cache per token", held === null ? "none: it does not generate" : bytes(model.cache)],
        ...(held === null ? [] : [[`KV cache of the text`, bytes(held)]]));
      this.totals.replaceChildren(...rows.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
    }

    bar(name, size, all) {
      const shares = this.parts.filter((part) => size(part) > 0);
      const track = el("div", { class: "track", role: "img", "aria-label":
        `${name}: ${shares.map((part) => `${part} ${percent(size(part), all)}`).join(", ")}` },
        ...shares.map((part) => {
          const piece = el("span", { class: part === this.chosen ? "piece chosen" : "piece", title: `${part} ${percent(size(part), all)}` });
          piece.style.flexGrow = size(part) / all;
          piece.style.background = this.colors[part];
          return piece;
        }));
      return el("div", {}, el("div", { class: "soft" }, name), track);
    }
  }

  customElements.define("lmkit-model-map", ModelMap);
})();
