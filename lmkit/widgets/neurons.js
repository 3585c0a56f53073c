// <lmkit-neurons>: leafs through the neurons that lmkit.widgets.neurons put into its attributes.
// Text only ever goes through textContent and attributes of ours, never as HTML.
(() => {
  "use strict";
  if (customElements.get("lmkit-neurons")) return;

  const CSS = "__CSS__";
  const STEPS = 100; // as in neurons.py: this byte is nothing, twice as much the most
  const FIRES = 15; // per cent of the most, from where a word counts as one at which the neuron fires
  const clamp = (x, low, high) => Math.min(Math.max(x, low), high);

  // __PAGE__

  class Neurons extends Figure {
    build({ heading, neurons }) {
      const bytes = atob(this.dataset.shades);
      let at = 0;
      const value = (word) => ({ word, value: bytes.charCodeAt(at++) - STEPS });
      this.all = neurons.map(({ name, texts, promotes }) => ({
        name, texts: texts.map((text) => text.map(value)), promotes: promotes.map(value),
      }));
      if (at !== bytes.length) throw new Error(`${bytes.length} shades for ${at} words`);
      const frame = this.dom(heading);
      this.choose(0);
      return frame;
    }

    dom(heading) {
      this.pills = this.all.map(({ name }, i) => el("button", { type: "button", role: "radio", class: "pill",
        onclick: () => this.choose(i) }, bdi(name)));
      this.texts = el("div", { class: "texts", "aria-hidden": "true", onclick: (e) => this.pick(e), onpointerover: (e) =>
        e.pointerType !== "touch" && this.pick(e) });
      this.slider = el("input", { type: "range", min: 0, "aria-label": "Word", oninput: (e) => this.go(+e.target.value) });
      this.next = el("button", { type: "button", onclick: () => this.leap() }, "next place where it fires");
      this.reading = el("p", { class: "reading" });
      this.list = el("ol", { class: "promotes", "aria-label": "Words that it promotes, strongest first" });
      return el("div", { class: "figure", role: "group", "aria-label": heading ?? "Neurons" },
        el("div", { class: "title", hidden: !heading }, bdi(heading ?? "")),
        el("div", { class: "pills", role: "radiogroup", "aria-label": "Neuron", onkeydown: (e) => this.rove(e) }, ...this.pills),
        el("div", { class: "columns" },
          el("div", {}, el("div", { class: "head" }, "fires at (orange), is pushed below zero at (blue)"), this.texts),
          el("div", {}, el("div", { class: "head" }, "makes these next words likelier"), this.list)),
        el("div", { class: "controls" }, this.slider, this.next), this.reading);
    }

    choose(i) {
      this.chosen = i;
      this.pills.forEach((pill, j) => { pill.setAttribute("aria-checked", i === j); pill.tabIndex = i === j ? 0 : -1; });
      const { texts, promotes } = this.all[i];
      this.words = texts.flat();
      this.ends = new Set(texts.reduce((ends, text) => [...ends, (ends.at(-1) ?? 0) + text.length], []));
      let n = 0;
      this.texts.replaceChildren(...texts.map((text) => el("p", {}, ...text.flatMap((word) => [this.span(word, n++), " "]))));
      this.spans = [...this.texts.querySelectorAll("[data-n]")];
      this.list.replaceChildren(...promotes.map(({ word, value }) => {
        const bar = el("span", { class: "bar" });
        bar.style.width = `${clamp(value, 0, STEPS)}%`;
        return el("li", {}, el("span", { class: "word" }, bdi(word)), el("span", { class: "track", "aria-hidden": "true" }, bar));
      }));
      this.slider.max = this.words.length - 1;
      const values = this.words.map(({ value }) => value);
      this.go(values.indexOf(Math.max(...values)));
    }

    span({ word, value }, n) {
      const node = el("span", { class: value < 0 ? "w below" : "w", "data-n": n }, bdi(word));
      node.style.setProperty("--much", `${Math.abs(value)}%`);
      return node;
    }

    pick(event) {
      const n = event.target.closest("[data-n]")?.dataset.n;
      if (n !== undefined) this.go(+n);
    }

    go(n) {
      this.spans[this.at]?.classList.remove("met");
      this.at = n;
      this.spans[n].classList.add("met");
      const { word, value } = this.words[n], follows = this.ends.has(n + 1) ? null : this.words[n + 1].word;
      const says = value >= FIRES ? `fires at ${value} % of its most here` : value < 0 ? "is pushed below zero" : "is (nearly) silent";
      this.slider.value = n;
      this.slider.setAttribute("aria-valuetext", `${word}: ${says}`);
      this.reading.replaceChildren("At ", el("b", {}, bdi(word)), ` it ${says}`,
        ...(follows === null ? ["."] : ["; the next word is ", el("b", {}, bdi(follows)), "."]));
    }

    leap() { // to the next word at which it fires, round the end
      for (let d = 1; d <= this.words.length; d++) {
        const n = (this.at + d) % this.words.length;
        if (this.words[n].value >= FIRES) return this.go(n);
      }
    }

    rove(event) { // one tab stop, arrow keys inside
      if (event.altKey || event.metaKey || event.ctrlKey) return;
      const last = this.all.length - 1, by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      const to = by ? clamp(this.chosen + by, 0, last) : { Home: 0, End: last }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      this.choose(to);
      this.pills[to].focus();
    }
  }

  customElements.define("lmkit-neurons", Neurons);
})();
