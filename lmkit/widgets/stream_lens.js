// <lmkit-stream-lens>: the guesses that lmkit.widgets.stream_lens packed into its attributes, as a grid to walk through.
// Text only ever goes through textContent and attributes of ours, never as HTML.
(() => {
  "use strict";
  if (customElements.get("lmkit-stream-lens")) return;

  const CSS = "__CSS__";
  const clamp = (x, low, high) => Math.min(Math.max(x, low), high);
  const percent = (p) => (p > 0.9995 ? "100 %" : p < 0.0005 ? "0 %" : `${(100 * p).toFixed(p < 0.0995 ? 1 : 0)} %`);
  const bytes = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

  // __PAGE__

  // Numbers in the order in which Python wrote them: for each text the guesses by point and word, then the exact ones.
  function unpack({ top, examples }, { vocab, probs }) {
    const raw = new DataView(bytes(probs).buffer);
    const words = new TextDecoder().decode(bytes(vocab)).split("\n");
    let at = 0;
    const number = () => raw.getUint16(2 * at++, true);
    const cell = () => Array.from({ length: top }, () => ({ word: words[number()], p: number() / 65535, q: number() / 65535 }));
    const row = (n) => Array.from({ length: n }, cell);
    return examples.map((example) => ({
      ...example,
      guesses: example.points.map(() => row(example.words.length)),
      truth: example.exact ? row(example.words.length).map((cells) => cells.filter(({ q }) => q > 0)) : null,
    }));
  }

  class StreamLens extends Figure {
    build(data) {
      const { title } = data, examples = (this.examples = unpack(data, this.dataset)), one = examples.length < 2;
      const select = el("select", { "aria-label": "Text", onchange: (e) => this.setExample(+e.target.value) },
        ...examples.map(({ name }, value) => el("option", { value }, name || `text ${value + 1}`)));
      this.grid = el("table", { role: "grid", "aria-label": "Guesses by point of the stream and word", onkeydown: (e) => this.key(e) });
      this.reading = el("div", { class: "reading", role: "status", "aria-live": "polite" });
      const frame = el("div", { class: "figure", role: "group", "aria-label": title ?? "Logit lens" },
        el("div", { class: "title", hidden: !title }, bdi(title ?? "")),
        el("label", { hidden: one }, "Text", select),
        el("div", { class: "wide" }, this.grid), this.reading);
      this.setExample(0);
      return frame;
    }

    setExample(i) {
      const { words, points, guesses, truth } = (this.example = this.examples[i]);
      const head = el("tr", {}, el("th", { scope: "col" }, "after"), ...words.map((word) => el("th", { scope: "col" }, bdi(word))));
      const rows = [...points.map((name, p) => [name, guesses[p]]), ...(truth ? [["exact", truth]] : [])];
      this.cells = rows.map(([name, row], p) => row.map((cell, t) => {
        const { word, p: guessed, q } = cell[0] ?? { word: "", p: 0, q: 0 }, strength = p < points.length ? guessed : q;
        const right = truth && q > 0;
        const box = el("button", { type: "button", tabindex: -1, class: `cell${p < points.length ? "" : " exact"}${right ? " right" : ""}`,
          "aria-label": `${name}, after ${words[t]}: ${word}, ${percent(strength)}`, onclick: () => this.go(p, t), onfocus: () => this.go(p, t) },
          bdi(word), el("small", {}, percent(strength)));
        box.style.setProperty("--p", strength.toFixed(3));
        return box;
      }));
      this.grid.replaceChildren(el("thead", {}, head), el("tbody", {}, ...rows.map(([name], p) =>
        el("tr", {}, el("th", { scope: "row" }, name), ...this.cells[p].map((box) => el("td", { role: "gridcell" }, box))))));
      this.go(points.length - 1, 0);
    }

    go(p, t) {
      if (this.at) this.cells[this.at.p]?.[this.at.t]?.setAttribute("tabindex", -1);
      for (const box of this.cells.flat()) box.classList.toggle("chosen", box === this.cells[p][t]);
      this.at = { p, t };
      this.cells[p][t].setAttribute("tabindex", 0);
      this.show();
    }

    // What is chosen, as bars: the model's five first guesses, then what else the grammar allows.
    show() {
      const { p, t } = this.at, { points, words, guesses, truth } = this.example, exact = p === points.length;
      const guessed = exact ? [] : guesses[p][t], last = guesses.at(-1)[t];
      const others = (truth?.[t] ?? []).filter(({ word }) => !guessed.some((guess) => guess.word === word));
      const lines = [...guessed, ...others.map(({ word, q }) => ({ word, q, p: exact ? last.find((guess) => guess.word === word)?.p ?? null : null }))];
      const bar = (kind, share) => { const i = el("i", { class: kind }); i.style.width = `${100 * share}%`; return el("div", { class: "track" }, i); };
      const value = (share) => el("span", { class: "value" }, share === null ? "–" : percent(share));
      const which = exact ? "the model's end" : points[p];
      this.reading.replaceChildren(
        el("div", { class: "where" }, "after ", el("b", {}, bdi(words.slice(Math.max(0, t - 5), t + 1).join(" "))), ", read at ", el("b", {}, exact ? "the grammar" : points[p])),
        el("div", { class: "key" }, el("i", { class: "model" }), ` ${which} `, ...(truth ? [el("i", { class: "true" }), " exact; underlined above: a guess that the grammar allows"] : [])),
        el("div", { class: "bars" }, ...lines.flatMap(({ word, p: share, q }) => [
          el("div", { class: "word" }, bdi(word)),
          el("div", { class: "pair" }, el("div", { class: "line" }, bar("model", share ?? 0), value(share)),
            ...(truth ? [el("div", { class: "line" }, bar("true", q), value(q))] : [])),
        ])));
    }

    key(event) {
      const { p, t } = this.at, last = this.cells[0].length - 1;
      const to = { ArrowLeft: [p, t - 1], ArrowRight: [p, t + 1], ArrowUp: [p - 1, t], ArrowDown: [p + 1, t], Home: [p, 0], End: [p, last] }[event.key];
      if (!to || event.altKey || event.metaKey || event.ctrlKey) return;
      event.preventDefault();
      event.stopPropagation();
      const box = this.cells[clamp(to[0], 0, this.cells.length - 1)][clamp(to[1], 0, last)];
      box.focus();
      box.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
  }

  customElements.define("lmkit-stream-lens", StreamLens);
})();
