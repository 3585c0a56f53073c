// <lmkit-next-word>: the knobs of sampling, on scores that lmkit.widgets.next_word packed into its attribute.
// Text only ever goes through textContent and attributes of ours, never as HTML.
(() => {
  "use strict";
  if (customElements.get("lmkit-next-word")) return;

  const CSS = "__CSS__";
  const ROWS = 12; // words with a row of their own; the others share one
  const DRAWS = 20;
  const KS = [1, 2, 3, 5, 8, 12, 20, 50, Infinity];
  const KNOBS = { // name: [least, most, step, at first, how it is said]
    temperature: [0, 2, 0.05, 1, (v) => v.toFixed(2)],
    "top-k": [0, KS.length - 1, 1, KS.length - 1, (v) => (KS[v] === Infinity ? "off" : String(KS[v]))],
    "top-p": [0.05, 1, 0.05, 1, (v) => (v >= 1 ? "off" : v.toFixed(2))],
    "min-p": [0, 0.5, 0.02, 0, (v) => (v === 0 ? "off" : v.toFixed(2))],
  };

  // __PAGE__

  // ---- small pure functions: scores are in order, the largest first ----

  function softmax(z) {
    const e = z.map((x) => Math.exp(x - z[0])), sum = e.reduce((a, b) => a + b, 0);
    return e.map((x) => x / sum);
  }

  // As in lmkit.sampling.sample: the temperature first, then each filter on what the one before has left.
  function filtered(z, { temperature, k, p, minP }) {
    if (temperature === 0) return z.map((_, i) => +(i === 0)); // the first of the likeliest
    z = z.map((x) => x / temperature);
    const keep = (least) => { z = z.map((x) => (x < least ? -Infinity : x)); };
    if (k < z.length) keep(z[k - 1]);
    if (p < 1) {
      let sum = 0, last = 0;
      const probs = softmax(z);
      while (last < z.length - 1 && (sum += probs[last]) < p) last += 1;
      keep(z[last]);
    }
    if (minP > 0) keep(z[0] + Math.log(minP));
    return softmax(z);
  }

  const bits = (p) => p.reduce((sum, x) => sum - (x > 0 ? x * Math.log2(x) : 0), 0);
  const percent = (x) => (x === 0 ? "0 %" : x < 0.001 ? "<0.1 %" : `${(100 * x).toFixed(1)} %`);

  function random(seed) { // mulberry32: the same numbers on every page
    return () => {
      seed = (seed + 0x6d2b79f5) | 0;
      let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
  }

  class NextWord extends Figure {
    build({ heading, round, labels, examples }) {
      this.examples = examples.map(({ text, order, z, true: known }) => {
        const truth = known && new Array(z.length).fill(0);
        for (const [i, q] of known ?? []) truth[i] = q;
        return { text, words: order.map((i) => labels[i]), z: z.map((x) => x / round), truth };
      });
      const select = el("select", { "aria-label": "Beginning", onchange: (e) => this.choose(+e.target.value) },
        ...this.examples.map(({ text }, value) => el("option", { value }, text.length > 60 ? `…${text.slice(-59)}` : text)));
      this.knobs = {};
      const knobs = Object.entries(KNOBS).map(([name, [min, max, step, value]]) => {
        const output = el("output"), input = el("input", { type: "range", min, max, step, value, "aria-label": name, oninput: () => this.turn() });
        this.knobs[name] = { input, output };
        return el("label", { class: "knob" }, el("span", {}, name), input, output);
      });
      this.text = el("p", { class: "text" });
      this.rows = el("ul", { class: "rows", role: "list", "aria-label": "Next words" });
      this.facts = el("div", { class: "facts", role: "status", "aria-live": "polite" });
      const button = (label, onclick) => el("button", { type: "button", onclick }, label);
      const frame = el("div", { class: "figure", role: "group", "aria-label": heading ?? "The next word" },
        el("div", { class: "title", hidden: !heading }, bdi(heading ?? "")),
        el("label", { class: "beginning" }, "A text begins", select), this.text,
        el("div", { class: "knobs", role: "group", "aria-label": "Sampling" }, ...knobs), this.rows,
        el("div", { class: "below" }, this.facts, button(`Draw ${DRAWS}`, () => this.draw()), button("Reset", () => this.reset())));
      this.choose(0);
      return frame;
    }

    // -- what can change --

    choose(i) {
      this.example = this.examples[i];
      this.text.replaceChildren(bdi(`${this.example.text} …`));
      this.turn();
    }

    reset() {
      for (const [name, { input }] of Object.entries(this.knobs)) input.value = KNOBS[name][3];
      this.turn();
    }

    turn() { // the counts belong to the distribution that they were drawn from
      const at = {};
      for (const [name, { input, output }] of Object.entries(this.knobs)) {
        at[name] = +input.value;
        output.textContent = KNOBS[name][4](at[name]);
        input.setAttribute("aria-valuetext", output.textContent);
      }
      const how = { temperature: at.temperature, k: KS[at["top-k"]], p: at["top-p"], minP: at["min-p"] };
      this.probs = filtered(this.example.z, how);
      this.counts = null;
      this.next = random(1);
      this.show();
    }

    draw() {
      this.counts ??= new Array(this.probs.length).fill(0);
      for (let n = 0; n < DRAWS; n += 1) {
        let left = this.next(), i = 0;
        while (i < this.probs.length - 1 && (left -= this.probs[i]) >= 0) i += 1;
        while (this.probs[i] === 0) i -= 1; // rounding may carry it beyond the last that may be drawn
        this.counts[i] += 1;
      }
      this.show();
    }

    show() {
      const { words, truth } = this.example, { probs, counts } = this;
      const cell = (text, cls = "") => el("span", { class: `number ${cls}` }, text);
      const bar = (x, cls = "") => { const b = el("div", { class: `bar ${cls}` }); b.style.width = `${100 * Math.min(x, 1)}%`; return b; };
      const row = (name, p, q, n, cls) => el("li", { class: `row ${cls}` }, el("span", {}, bdi(name)),
        el("div", { class: "bars", "aria-hidden": "true" }, bar(p), ...(truth ? [bar(q, "true")] : [])),
        cell(percent(p)), cell(truth ? percent(q) : ""), cell(counts ? `×${n}` : ""));
      const sum = (list, from = ROWS) => (list ? list.slice(from).reduce((a, b) => a + b, 0) : 0);
      const head = el("li", { class: "row head" }, el("span", {}, "word"), el("span", {}),
        el("span", { class: "number" }, el("i", { class: "key", "aria-hidden": "true" }), "model"),
        el("span", { class: "number" }, ...(truth ? [el("i", { class: "key true", "aria-hidden": "true" }), "exact"] : [])),
        el("span", { class: "number" }, counts ? "drawn" : ""));
      const few = words.slice(0, ROWS).map((word, i) =>
        row(word, probs[i], truth?.[i], counts?.[i], probs[i] === 0 ? "dropped" : ""));
      const rest = words.length > ROWS ? [row(`${words.length - ROWS} more`, sum(probs), sum(truth), sum(counts),
        sum(probs) === 0 ? "dropped" : "")] : [];
      this.rows.replaceChildren(head, ...few, ...rest);
      const left = probs.filter((p) => p > 0).length, drawn = counts ? sum(counts, 0) : 0;
      let far = "";
      if (truth) {
        const kl = truth.reduce((a, q, i) => a + (q > 0 ? q * Math.log2(q / probs[i]) : 0), 0);
        far = kl === Infinity ? "; KL from the truth ∞ (a possible word was dropped)" : `; KL from the truth ${Math.abs(kl).toFixed(3)} bits`;
      }
      this.facts.textContent = `${left} word${left === 1 ? "" : "s"} may be drawn; entropy ${bits(probs).toFixed(3)} bits${far}${drawn ? `; ${drawn} drawn` : ""}.`;
    }
  }

  customElements.define("lmkit-next-word", NextWord);
})();
